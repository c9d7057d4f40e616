/** The change goes out: one branch, one pull request, a draft until it is verified and reviewed. */
import { CancellationScope } from "@temporalio/workflow";
import { pageLink } from "../domain/run-links.ts";
import { pullRequestBody, pullRequestTitle } from "../domain/pull-request-text.ts";
import { addLabels, editPullRequest, openPullRequest, pushBranch, reportStatus, setDraft } from "./activities.ts";
import { bringIn } from "./bring-in.ts";
import { replaceOriginal } from "./fork.ts";
import type { Work } from "./implement.ts";
import type { Run } from "./run.ts";

/** What others pushed in the meantime is in the work afterwards. */
export async function publish(run: Run, work: Work): Promise<void> {
  Object.assign(work, await push(run, work));
  const known = run.status.pullRequest;
  if (known) {
    await run.step(() => setDraft({ run: run.ref, number: known.number, draft: true }));
    run.setHead({ ...known, headSha: work.change.headSha });
    await updatePullRequestText(run, work);
  } else {
    const { number, url } = await run.step(() =>
      // Once asked for it may be there: a run that is ended in this moment must know it, to close it.
      CancellationScope.nonCancellable(() =>
        openPullRequest({ run: run.ref, ground: run.ground!, title: title(run, work), body: body(run, work) }),
      ),
    );
    run.setHead({ number, url, headSha: work.change.headSha });
    label(run, number);
    if (run.input.fork) await replaceOriginal(run, run.input.fork);
  }
  run.beside(report(run, work));
}

export async function updatePullRequestText(run: Run, work: Work): Promise<void> {
  const { number } = run.status.pullRequest!;
  await run.step(() =>
    editPullRequest({ run: run.ref, number, edit: { title: title(run, work), body: body(run, work) } }),
  );
}

/** Pushes until our commit is the head. What somebody else pushed to the branch is taken in, never pushed over. */
async function push(run: Run, before: Work): Promise<Work> {
  let work = before;
  for (;;) {
    run.enter("opening-pull-request");
    const { headSha } = work.change;
    if (headSha === work.pushed) return { ...work, onto: null };
    run.pushed.add(headSha);
    const expected = work.pushed;
    const result = await run.step(() => pushBranch({ run: run.ref, ground: run.ground!, commit: headSha, expected }));
    if (result.kind !== "moved") return { ...work, pushed: headSha, onto: null };
    if (expected !== null) work = await bringIn(run, work, "head");
    else
      await run.waitForOperator(
        `The branch on GitHub is at ${result.actual ?? "nothing (deleted)"}, with commits that are not of this run. Put it away, then send resume, or reject.`,
      );
  }
}

function label(run: Run, number: number): void {
  const { add_labels } = run.settings;
  const labels = Array.isArray(add_labels) ? add_labels : add_labels ? ["mergewright"] : [];
  if (labels.length > 0) run.beside(addLabels({ run: run.ref, number, labels }));
}

function title(run: Run, work: Work): string {
  return pullRequestTitle({ category: work.classification.category, title: run.status.title, issue: run.ref.issue });
}

function body(run: Run, work: Work): string {
  return pullRequestBody({
    status: run.status,
    summary: work.summary,
    verified: work.verified,
    verification: work.verification,
    change: work.change,
    findings: work.findings,
    closes: run.closesIssue,
    links: run.input.links,
    runKey: run.ref.runKey,
  });
}

/** Shows on the head commit that our verification holds, or does not. Nice to have: never stops the run. */
async function report(run: Run, work: Work): Promise<void> {
  if (run.settings.report === "none") return;
  const summary = work.verified ? "Verified by Mergewright" : "Not verified by Mergewright";
  await reportStatus({
    run: run.ref,
    sha: work.change.headSha,
    report: {
      kind: run.settings.report,
      state: work.verified ? "success" : "failure",
      title: summary,
      summary: work.verification,
      url: pageLink(run.input.links, run.status.id),
      externalId: run.ref.runKey,
    },
  });
}
