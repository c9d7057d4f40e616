/** The end of a good story: the approved head, and only that, is merged; the issue is closed. */
import { CancellationScope } from "@temporalio/workflow";
import { mergePullRequest, readMergeQueue, setDraft } from "./activities.ts";
import { type Decision, mergeability, type Revision, upToDate } from "./gates.ts";
import type { Work } from "./implement.ts";
import { endMerged, type Merged } from "./merged.ts";
import type { Run } from "./run.ts";
import { Declined } from "./story.ts";

/** A queue moves when its own checks are done; GitHub tells of its end, and is asked should that be missed. */
const LOOK_AGAIN_MS = 60_000;
const MAX_LOOK_AGAIN_MS = 10 * 60_000;

/** Merges the head that was approved. Null: it could not be merged, and a person must decide again. */
export async function merge(
  run: Run,
  work: Work,
  { sha, approvedBy }: Decision & { kind: "merge" },
): Promise<Merged | Revision | null> {
  run.enter("merging");
  const { number } = run.status.pullRequest!;
  const pullRequest = await mergeability(run);
  const stale = !pullRequest.merged && (pullRequest.mergeable === false || pullRequest.behind);
  if (stale && work.rebaseRounds < run.settings.limits.rebase_rounds) {
    run.refuse(
      "merge",
      approvedBy,
      "The base branch moved on: it is brought in first, and the new head is asked about.",
    );
    return { kind: "base-moved" };
  }
  if (pullRequest.draft && !pullRequest.merged) await run.step(() => setDraft({ run: run.ref, number, draft: false }));

  const result = await run.step(() =>
    // A merge that was asked for is waited for: nobody can take it back.
    CancellationScope.nonCancellable(() =>
      mergePullRequest({ run: run.ref, number, sha, method: run.settings.merge_method, approvedBy }),
    ),
  );
  switch (result.kind) {
    case "merged":
      return endMerged(run, result.sha);
    case "queued":
      return inQueue(run, work, approvedBy);
    case "head-moved":
      headMoved(run, approvedBy, sha, result.headSha);
      return null;
    case "not-mergeable":
      return refusedMerge(run, work, approvedBy, `GitHub refused the merge: ${result.reason}`);
    case "approver-lost-permission":
      run.refuse("merge", approvedBy, result.reason);
      return null;
    case "closed":
      throw new Declined("the pull request was closed");
  }
}

function headMoved(run: Run, approvedBy: string | null, from: string, to: string): void {
  run.setHead({ ...run.status.pullRequest!, headSha: to });
  run.refuse("merge", approvedBy, `The head moved from ${from} to ${to}: the approval is void.`);
}

/** It may be merged by now, or the base may have moved in this very moment; everything else is for a person. */
async function refusedMerge(
  run: Run,
  work: Work,
  approvedBy: string | null,
  reason: string,
): Promise<Merged | Revision | null> {
  run.refuse("merge", approvedBy, reason);
  const standing = await upToDate(run, work);
  if (standing === null) work.mergeRefused = reason;
  return standing;
}

/** The queue tests and merges it; what it throws out comes back. It may take its time. */
export async function inQueue(run: Run, work: Work, approvedBy: string | null): Promise<Merged | Revision | null> {
  const { number } = run.status.pullRequest!;
  for (let lookAgainMs = LOOK_AGAIN_MS; ; lookAgainMs = Math.min(lookAgainMs * 2, MAX_LOOK_AGAIN_MS)) {
    await run.turnPage({ kind: "queue", work, approvedBy });
    const news = run.checksNews;
    const state = await run.step(() => readMergeQueue({ run: run.ref, number }));
    switch (state.kind) {
      case "merged":
        return endMerged(run, state.sha);
      case "closed":
        throw new Declined("the pull request was closed");
      case "thrown-out":
        if (state.headSha !== work.change.headSha) {
          headMoved(run, approvedBy, work.change.headSha, state.headSha);
          return null;
        }
        return refusedMerge(
          run,
          work,
          approvedBy,
          `The merge queue took it out: ${state.reason ?? "no reason was told"}.`,
        );
      case "queued": {
        const place = state.position === null ? "" : ` at position ${state.position}`;
        const detail = `It is in GitHub's merge queue${place} (${state.state.toLowerCase().replaceAll("_", " ")}).`;
        await run.waitFor(
          { kind: "checks", detail },
          () => run.checksNews !== news || run.historyIsLong(),
          lookAgainMs,
        );
      }
    }
  }
}
