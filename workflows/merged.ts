/** The pull request is merged, whoever did it: nothing undoes that, and only the issue is left to be closed. */
import type { Outcome } from "../domain/run.ts";
import { closeIssue } from "./activities.ts";
import type { Run } from "./run.ts";

export type Merged = Outcome & { kind: "merged" };

export async function endMerged(run: Run, sha: string): Promise<Merged> {
  run.mergedAs = sha;
  if (run.closesIssue) await run.step(() => closeIssue({ run: run.ref }));
  return { kind: "merged", sha };
}
