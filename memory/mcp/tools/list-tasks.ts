/** `list_tasks`: the latest runs. */
import { z } from "zod";
import type { McpParts } from "../parts.ts";
import { lineOf, RunSummary, summaryOf } from "../run-document.ts";
import type { Tool } from "../tool.ts";

const Input = z.strictObject({
  limit: z.int().min(1).max(200).default(20).describe("How many at most"),
});
const Output = z.object({ tasks: z.array(RunSummary) });

export function listTasks({ runs }: McpParts): Tool<typeof Input, typeof Output> {
  return {
    name: "list_tasks",
    title: "List tasks",
    description: "The latest runs, one for each issue, those under way first: phase, what each waits for, cost.",
    input: Input,
    output: Output,
    effect: "read",
    async run({ limit }) {
      const found = await runs.listRuns({ limit });
      const text = found.length === 0 ? "There are no runs yet." : found.map(lineOf).join("\n");
      return { structured: { tasks: found.map(summaryOf) }, text };
    },
  };
}
