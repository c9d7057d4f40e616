/** The end of a good story: the approved head, and only that, is merged; the issue is closed. */
import { CancellationScope } from "@temporalio/workflow";
import type { Outcome } from "../domain/run.ts";
import { closeIssue, mergePullRequest, setDraft } from "./activities.ts";
import { type Decision, mergeability } from "./gates.ts";
import type { Work } from "./implement.ts";
import type { Run } from "./run.ts";
import { Declined } from "./story.ts";

/** Merges the head that was approved. Null: it could not be merged, and a person must decide again. */
export async function merge(
  run: Run,
  work: Work,
  { sha, approvedBy }: Decision & { kind: "merge" },
): Promise<(Outcome & { kind: "merged" }) | null> {
  run.enter("merging");
  const { number } = run.status.pullRequest!;
  const pullRequest = await mergeability(run);
  if (pullRequest.draft && !pullRequest.merged) await run.step(() => setDraft({ run: run.ref, number, draft: false }));

  const result = await run.step(() =>
    // A merge that was asked for is waited for: nobody can take it back.
    CancellationScope.nonCancellable(() =>
      mergePullRequest({ run: run.ref, number, sha, method: run.settings.merge_method, approvedBy }),
    ),
  );
  switch (result.kind) {
    case "merged":
      run.mergedAs = result.sha;
      if (run.settings.close_on_success) await run.step(() => closeIssue({ run: run.ref }));
      return { kind: "merged", sha: result.sha };
    case "head-moved":
      run.setHead({ ...run.status.pullRequest!, headSha: result.headSha });
      run.refuse("merge", approvedBy, `The head moved from ${sha} to ${result.headSha}: the approval is void.`);
      return null;
    case "not-mergeable":
      work.mergeRefused = `GitHub refused the merge: ${result.reason}`;
      run.refuse("merge", approvedBy, work.mergeRefused);
      return null;
    case "approver-lost-permission":
      run.refuse("merge", approvedBy, result.reason);
      return null;
    case "closed":
      throw new Declined("the pull request was closed");
  }
}
