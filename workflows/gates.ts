/** What a published change must pass: the reviewer, the checks, and the person who approves. */
import { sleep } from "@temporalio/workflow";
import type { ReviseReason } from "../domain/brief.ts";
import { judgeChecks } from "../domain/checks.ts";
import type { Finding, Review } from "../domain/outputs.ts";
import { awaitPeople } from "./await-people.ts";
import { readChecks, readPullRequest, setDraft } from "./activities.ts";
import type { Work } from "./implement.ts";
import { updatePullRequestText } from "./publish.ts";
import type { Run } from "./run.ts";
import { closeSandboxes } from "./story.ts";

export interface Revision {
  kind: "revise";
  because: ReviseReason;
  text: string;
  findings?: Finding[];
}

/** How long checks may take to appear on a repository that has some: GitHub creates them within seconds of a push. */
const CHECKS_APPEAR_WITHIN_MS = 60_000;
/** Checks are looked at again at least this often, should a webhook be missed. */
const LOOK_AGAIN_MS = 60_000;

/** Lets the reviewer read the change. Its findings go back to the coder, for a limited number of rounds. */
export async function review(run: Run, work: Work): Promise<Revision | null> {
  if (!work.verified) return null;
  run.enter("reviewing");
  const answer = await run.agent(
    "reviewer",
    {
      kind: "review",
      plan: work.plan,
      round: work.reviewRounds + 1,
      headSha: work.change.headSha,
      evidence: run.status.evidence,
    },
    { commit: work.change.headSha },
    true,
  );
  await closeSandboxes(run, ["reviewer"]);
  if (answer.kind === "gave-up") {
    work.verified = false;
    work.verification = `${work.verification} The review was not finished: ${answer.reason}.`;
    return null;
  }
  const { verdict, findings, summary } = answer.data as Review;
  const serious = findings.filter((finding) => finding.severity !== "note");
  work.findings = findings;
  if (verdict === "approve" && serious.length === 0) return null;
  if (work.reviewRounds >= run.settings.limits.review_rounds) return null;
  work.reviewRounds += 1;
  return { kind: "revise", because: "review", text: summary, findings: serious.length > 0 ? serious : findings };
}

/** Makes the pull request ready and waits for the checks of its head commit. */
export async function awaitChecks(run: Run, work: Work, since: number = Date.now()): Promise<Revision | null> {
  await updatePullRequestText(run, work);
  if (!work.verified) return null;
  const { number } = run.status.pullRequest!;
  await run.step(() => setDraft({ run: run.ref, number, draft: false }));

  const deadlineMs = run.settings.limits.check_minutes * 60_000;
  for (;;) {
    await run.turnPage({ kind: "checks", work, since });
    const news = run.checksNews;
    const reports = await run.step(() => readChecks({ run: run.ref, sha: work.change.headSha }));
    if (reports === null) {
      work.checksNote = "The checks cannot be read with this token: look at them on GitHub.";
      return null;
    }
    const waitedMs = Date.now() - since;
    const verdict = judgeChecks({ reports, expected: run.base!.hasChecks, waitedMs, graceMs: CHECKS_APPEAR_WITHIN_MS });
    if (verdict.kind === "passed") return null;
    if (verdict.kind === "failed") return failedChecks(run, work, verdict.failures);
    if (waitedMs >= deadlineMs) {
      work.checksNote = `The checks did not finish within ${run.settings.limits.check_minutes} minutes (${verdict.detail}).`;
      return null;
    }
    run.enter("awaiting-checks");
    await run.waitFor(
      { kind: "checks", detail: verdict.detail },
      () => run.checksNews !== news || run.hasWish() || run.historyIsLong(),
      LOOK_AGAIN_MS,
    );
    if (run.hasWish()) return null;
  }
}

function failedChecks(
  run: Run,
  work: Work,
  failures: { name: string; summary: string | null; url: string | null }[],
): Revision | null {
  const lines = failures.map(
    ({ name, summary, url }) => `- ${name}${summary ? `: ${summary}` : ""}${url ? ` (${url})` : ""}`,
  );
  if (work.checkRounds >= run.settings.limits.check_rounds) {
    work.checksNote = `These checks fail:\n${lines.join("\n")}`;
    return null;
  }
  work.checkRounds += 1;
  return { kind: "revise", because: "checks", text: `These checks failed on the pull request:\n${lines.join("\n")}` };
}

/** `sha` is the commit that was approved: what comes to the branch later is not. */
export type Decision = { kind: "merge"; sha: string; approvedBy: string | null } | Revision;

/** Waits for a person, unless the settings merge without asking. */
export async function awaitApproval(run: Run, work: Work): Promise<Decision> {
  const { auto_merge, require_review } = run.settings;
  const foreignHead = run.status.pullRequest!.headSha !== work.change.headSha;
  const unattended = auto_merge && !require_review && !foreignHead && mayMergeUnattended(work);
  if (unattended && !run.hasWish()) return { kind: "merge", sha: work.change.headSha, approvedBy: null };

  run.enter("awaiting-approval");
  const { headSha } = run.status.pullRequest!;
  const detail = approvalDetail(work, headSha, foreignHead);
  await awaitPeople(
    run,
    { kind: "approval", detail },
    () => run.hasWish(),
    () => run.turnPage({ kind: "approval", work }),
  );
  const wish = run.takeWish()!;
  if (wish.kind === "changes-requested") {
    return { kind: "revise", because: "human", text: `@${wish.by} asks for changes: ${wish.text}` };
  }
  return { kind: "merge", sha: wish.sha, approvedBy: wish.by };
}

/** Nothing that a person should look at first is merged without one. */
function mayMergeUnattended(work: Work): boolean {
  return (
    work.verified &&
    work.checksNote === null &&
    work.mergeRefused === null &&
    work.change.violations.length === 0 &&
    work.findings.every((finding) => finding.severity === "note")
  );
}

function approvalDetail(work: Work, headSha: string, foreignHead: boolean): string {
  const notes = [
    work.verified ? null : `Not verified: ${work.verification}`,
    work.checksNote,
    work.mergeRefused,
    foreignHead ? "The head was pushed by somebody else and was not verified here." : null,
  ];
  const attention = notes.filter((note) => note !== null).join(" ");
  return `${attention}${attention ? " " : ""}Look at ${headSha.slice(0, 12)}, then send approveMerge {by, sha}, approve the pull request, or comment \`/mergewright approve\`.`;
}

/** GitHub computes mergeability in the background; asked again until it knows, for half a minute at most. */
export async function mergeability(run: Run): Promise<Awaited<ReturnType<typeof readPullRequest>>> {
  const { number } = run.status.pullRequest!;
  let pullRequest = await run.step(() => readPullRequest({ run: run.ref, number }));
  for (let waitMs = 500; pullRequest.mergeable === null && !pullRequest.merged && waitMs <= 16_000; waitMs *= 2) {
    await sleep(waitMs);
    pullRequest = await run.step(() => readPullRequest({ run: run.ref, number }));
  }
  return pullRequest;
}
