/** `create_task`: starts the run of an issue. */
import { z } from "zod";
import { StartTask } from "../../../domain/tasks.ts";
import type { McpParts } from "../parts.ts";
import type { Tool } from "../tool.ts";

const Input = z.strictObject({
  repository: StartTask.shape.repository.describe("OWNER/NAME"),
  issue: StartTask.shape.issue.describe("The issue's number"),
  by: StartTask.shape.by.describe("The GitHub login in whose name it starts; GitHub is asked whether it may"),
});
const Output = z.object({ id: z.string(), started: z.boolean().describe("False: it was under way already") });

export function createTask({ start }: McpParts): Tool<typeof Input, typeof Output> {
  return {
    name: "create_task",
    title: "Resolve an issue",
    description:
      "Starts a run that turns a GitHub issue into a pull request. It spends money on model calls, up to its budget. An issue that was merged is not started again.",
    input: Input,
    output: Output,
    effect: "write",
    async run(input) {
      const { id, started } = await start(input);
      return { structured: { id, started }, text: `${id} ${started ? "is started" : "is under way already"}.` };
    },
  };
}
