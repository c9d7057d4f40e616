/**
 * A task that goes on from what a query had run ahead is failed, so that it is replayed from the history and done again.
 *
 * A query that is asked of a worker without the run in its memory is answered from the whole history. Where that ends with a
 * workflow task that another worker has begun, the SDK (1.24) handles its events for the query, and keeps the run with
 * commands that nobody has sent. Should the other worker die, and a signal or an update come before the task is given out
 * again, that worker handles it after the commands that it kept, while every later replay handles it before them: the run
 * would fit no worker ever after.
 */
import type { ActivateInput, WorkflowInterceptors } from "@temporalio/workflow";
import { type HistoryStep, isRunAhead } from "../domain/run-ahead.ts";

export function interceptors(): WorkflowInterceptors {
  let before: HistoryStep | null = null;
  let now: HistoryStep | null = null;
  return {
    internals: [
      {
        activate(input, next) {
          const { isReplaying, historyLength, jobs } = input.activation;
          const kinds = (jobs ?? []).map(kindOf);
          const asksOnly = kinds.every((kind) => kind === "queryWorkflow");
          if (!asksOnly && input.batchIndex === 0) {
            if (isReplaying) before = null;
            now = isReplaying ? null : { historyLength: historyLength ?? 0, jobs: kinds, commands: [] };
            if (before !== null && now !== null && isRunAhead(before, now)) {
              throw new Error(
                "This worker had run ahead of the history for a query, and another worker did not do what it had expected. The task is done again from the history.",
              );
            }
          }
          next(input);
        },
        concludeActivation(input, next) {
          const output = next(input);
          if (now !== null) {
            const commands = output.commands.flatMap((command) => Object.keys(command));
            const sameTask = before?.historyLength === now.historyLength;
            before = { ...now, commands: [...(sameTask ? before!.commands : []), ...commands] };
            now = null;
          }
          return output;
        },
      },
    ],
  };
}

type Job = NonNullable<ActivateInput["activation"]["jobs"]>[number];

function kindOf(job: Job): string {
  if (job.resolveActivity?.result?.completed) return "completedActivity";
  return Object.entries(job).find(([, value]) => value !== null && value !== undefined)?.[0] ?? "";
}
