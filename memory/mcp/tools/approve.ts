/** `approve`: the plan where the run waits for that, otherwise the merge of one head commit. Who may is decided by the run. */
import { z } from "zod";
import type { SendResult } from "../../../api/runs.ts";
import { NotFound } from "../../../domain/errors.ts";
import { ChangeTask } from "../../../domain/tasks.ts";
import { ToolRefused, type McpParts } from "../parts.ts";
import { RunId, runIdOf } from "../run-id.ts";
import type { Tool } from "../tool.ts";

const Input = z.strictObject({
  id: RunId,
  sha: ChangeTask.shape.sha.describe(
    "The head commit that was read and is to be merged: all 40 digits, as task_status tells it. Left out only to approve a plan.",
  ),
  by: ChangeTask.shape.by.optional().describe("The GitHub login in whose name it is approved; needs write permission"),
});
const Output = z.object({
  id: z.string(),
  approved: z.enum(["plan", "merge"]),
  sha: z.string().nullable(),
  by: z.string(),
});

export function approve({ runs, loginFor }: McpParts): Tool<typeof Input, typeof Output> {
  return {
    name: "approve",
    title: "Approve a plan or a merge",
    description:
      "Approves what a run waits for: its plan, or the merge of its pull request at one head commit. A merge cannot be taken back: approve only what a person has asked you to approve.",
    input: Input,
    output: Output,
    effect: "act",
    async run({ id: given, sha, by: named }) {
      const id = runIdOf(given);
      const run = await runs.getRun(id);
      if (run === null) throw notFound(id);
      const by = await loginFor(id, named);
      if (sha === undefined && run.phase === "awaiting-plan-approval") {
        refuse(id, await runs.send(id, "approvePlan", { by }));
        return { structured: { id, approved: "plan", sha: null, by }, text: `${id}: the plan is approved by ${by}.` };
      }
      // A merge by "whatever the head is" would let a program approve what nobody has read.
      if (sha === undefined) throw new ToolRefused(`${id}: name the head commit that was read as sha. ${headOf(run)}`);
      const head = sha.toLowerCase();
      refuse(id, await runs.send(id, "approveMerge", { by, sha: head }));
      return {
        structured: { id, approved: "merge", sha: head, by },
        text: `${id}: the merge of ${head} is approved by ${by}.`,
      };
    },
  };
}

function headOf({ phase, pullRequest }: { phase: string; pullRequest: { headSha: string } | null }): string {
  return pullRequest
    ? `The pull request's head is ${pullRequest.headSha || "not known now"}.`
    : `It has no pull request yet (phase ${phase}).`;
}

function refuse(id: string, result: SendResult): void {
  switch (result.kind) {
    case "accepted":
      return;
    case "not-found":
      throw notFound(id);
    case "refused":
      throw new ToolRefused(`${id} refused: ${result.reason}`);
    case "ended":
    case "no-answer":
      throw new ToolRefused(`${id}: ${result.reason}`);
  }
}

function notFound(id: string): NotFound {
  return new NotFound("run", `There is no run ${id}. list_tasks shows those that there are.`);
}
