/** `task_status`: one run in full. */
import { z } from "zod";
import { NotFound } from "../../../domain/errors.ts";
import type { McpParts } from "../parts.ts";
import { paragraphOf, RunDocument } from "../run-document.ts";
import { RunId, runIdOf } from "../run-id.ts";
import type { Tool } from "../tool.ts";

const Input = z.strictObject({ id: RunId });

export function taskStatus({ runs }: McpParts): Tool<typeof Input, typeof RunDocument> {
  return {
    name: "task_status",
    title: "Status of a task",
    description: "One run in full: phase, plan, pull request with its head commit, evidence, cost, what it waits for.",
    input: Input,
    output: RunDocument,
    effect: "read",
    async run({ id }) {
      const run = await runs.getRun(runIdOf(id));
      if (run === null)
        throw new NotFound("run", `There is no run ${runIdOf(id)}. list_tasks shows those that there are.`);
      return { structured: { ...run }, text: paragraphOf(run) };
    },
  };
}
