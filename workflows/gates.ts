/** What a published change must pass: the reviewer, the checks, and the person who approves. */
import { sleep } from "@temporalio/workflow";
import type { ReviseReason } from "../domain/brief.ts";
import { judgeChecks } from "../domain/checks.ts";
import type { Finding, Review } from "../domain/outputs.ts";
import type { CheckReport } from "../domain/ports.ts";
import { awaitPeople } from "./await-people.ts";
import { explainChecks, postReview, readChecks, readPullRequest, setDraft } from "./activities.ts";
import type { Work } from "./implement.ts";
import { endMerged, type Merged } from "./merged.ts";
import { updatePullRequestText } from "./publish.ts";
import type { Run } from "./run.ts";
import { closeSandboxes, Declined } from "./story.ts";

/** What stands between the change and its merge, and is to be done about it: `bring-in.ts`. */
export type Revision =
  | { kind: "revise"; because: ReviseReason; text: string; findings?: Finding[] }
  /** The base moved on, and the branch must have it: they conflict, or the rules want the newest. */
  | { kind: "base-moved" }
  /** Somebody else pushed to the branch. */
  | { kind: "head-moved" };

/** How long checks may take to appear on a repository that has some: GitHub creates them within seconds of a push. */
const CHECKS_APPEAR_WITHIN_MS = 60_000;
/** Events of GitHub wake who waits for checks. Should they not reach us, GitHub is asked again, less and less often. */
const LOOK_AGAIN_MS = 60_000;
const MAX_LOOK_AGAIN_MS = 10 * 60_000;

/** Lets the reviewer read the change. Its findings go back to the coder, for a limited number of rounds. */
export async function review(run: Run, work: Work): Promise<Revision | null> {
  if (headMoved(run, work)) return { kind: "head-moved" };
  if (!work.verified || work.reviewed) return null;
  run.enter("reviewing");
  const answer = await run.team.work(
    "reviewer",
    {
      kind: "review",
      plan: work.plan,
      round: work.reviewRounds + 1,
      headSha: work.change.headSha,
      evidence: run.status.evidence,
    },
    { commit: work.change.headSha },
    "afresh",
    () => ({ kind: "review", work }),
  );
  await closeSandboxes(run, ["reviewer"]);
  if (answer.kind === "gave-up") {
    work.verified = false;
    work.verification = `${work.verification} The review was not finished: ${answer.reason}.`;
    return null;
  }
  const { verdict, findings, summary, lessons } = answer.data as Review;
  if (lessons !== undefined) run.notes.lessons = lessons;
  const serious = findings.filter((finding) => finding.severity !== "note");
  work.findings = findings;
  work.reviewed = true;
  const { number } = run.status.pullRequest!;
  const { headSha: sha } = work.change;
  const round = work.reviewRounds + 1;
  if (run.settings.post_review)
    run.beside(postReview({ run: run.ref, number, sha, round, review: { verdict, findings, summary } }));
  if (verdict === "approve" && serious.length === 0) return null;
  if (work.reviewRounds >= run.settings.limits.review_rounds) return null;
  work.reviewRounds += 1;
  return { kind: "revise", because: "review", text: summary, findings: serious.length > 0 ? serious : findings };
}

/** Makes the pull request ready, and waits for the checks of its head commit and for GitHub's word that it can be merged. */
export async function awaitChecks(run: Run, work: Work, since: number = Date.now()): Promise<Merged | Revision | null> {
  await updatePullRequestText(run, work);
  if (headMoved(run, work)) return { kind: "head-moved" };
  if (!work.verified) return null;
  const { number } = run.status.pullRequest!;
  await run.step(() => setDraft({ run: run.ref, number, draft: false }));
  return (await untilChecked(run, work, since)) ?? (run.hasWish() ? null : upToDate(run, work));
}

async function untilChecked(run: Run, work: Work, since: number): Promise<Revision | null> {
  const deadlineMs = run.settings.limits.check_minutes * 60_000;
  for (let lookAgainMs = LOOK_AGAIN_MS; ; lookAgainMs = Math.min(lookAgainMs * 2, MAX_LOOK_AGAIN_MS)) {
    await run.turnPage({ kind: "checks", work, since });
    const news = run.checksNews;
    const { headSha: sha } = work.change;
    const branch = run.ground!.defaultBranch;
    const read = await run.step(() => readChecks({ run: run.ref, sha, branch }));
    if (read === null) {
      work.checksNote = "The checks cannot be read with this token: look at them on GitHub.";
      return null;
    }
    const waitedMs = Date.now() - since;
    const expected = run.base!.hasChecks;
    const verdict = judgeChecks({ ...read, expected, waitedMs, graceMs: CHECKS_APPEAR_WITHIN_MS });
    if (verdict.kind === "passed") return null;
    if (verdict.kind === "failed") return failedChecks(run, work, verdict.failures);
    if (waitedMs >= deadlineMs) {
      work.checksNote = `The checks did not finish within ${run.settings.limits.check_minutes} minutes (${verdict.detail}).`;
      return null;
    }
    run.enter("awaiting-checks");
    await run.waitFor(
      { kind: "checks", detail: verdict.detail },
      () => run.checksNews !== news || run.hasWish() || headMoved(run, work) || run.historyIsLong(),
      Math.min(lookAgainMs, deadlineMs - waitedMs),
    );
    if (headMoved(run, work)) return { kind: "head-moved" };
    if (run.hasWish()) return null;
  }
}

/** A push by somebody else, as far as we have heard of it. */
function headMoved(run: Run, work: Work): boolean {
  return run.status.pullRequest!.headSha !== work.change.headSha;
}

/** Whether GitHub could merge it now: a base that moved on under it is brought in first. */
export async function upToDate(run: Run, work: Work): Promise<Merged | Revision | null> {
  const { mergeable, behind, merged, mergeSha, state, headSha } = await mergeability(run);
  if (merged) return endMerged(run, mergeSha ?? headSha);
  if (state === "closed") throw new Declined("the pull request was closed");
  if (headSha !== work.change.headSha && !run.pushed.has(headSha)) {
    run.setHead({ ...run.status.pullRequest!, headSha });
    return { kind: "head-moved" };
  }
  if (mergeable !== false && !behind) return null;
  const { rebase_rounds } = run.settings.limits;
  if (work.rebaseRounds < rebase_rounds) return { kind: "base-moved" };
  const why = behind ? "lacks the newest commits of the base branch" : "conflicts with the base branch";
  work.checksNote = `The branch ${why}, and was brought up to it ${work.rebaseRounds} times already (limits.rebase_rounds). Do it by hand, then approve.`;
  return null;
}

async function failedChecks(run: Run, work: Work, failures: CheckReport[]): Promise<Revision | null> {
  const lines = failures.map(
    ({ name, summary, url }) => `- ${name}${summary ? `: ${summary}` : ""}${url ? ` (${url})` : ""}`,
  );
  if (work.checkRounds >= run.settings.limits.check_rounds) {
    work.checksNote = `These checks fail:\n${lines.join("\n")}`;
    return null;
  }
  work.checkRounds += 1;
  const details = await run.step(() => explainChecks({ run: run.ref, failures }));
  const text = `These checks failed on the pull request:\n${lines.join("\n")}${details === "" ? "" : `\n\n${details}`}`;
  return { kind: "revise", because: "checks", text };
}

/** `sha` is the commit that was approved: what comes to the branch later is not. */
export type Decision = { kind: "merge"; sha: string; approvedBy: string | null } | Revision;

/** Waits for a person, unless the settings merge without asking. */
export async function awaitApproval(run: Run, work: Work): Promise<Decision> {
  const { auto_merge, require_review } = run.settings;
  if (headMoved(run, work)) return { kind: "head-moved" };
  const unattended = auto_merge && !require_review && mayMergeUnattended(work);
  if (unattended && !run.hasWish()) return { kind: "merge", sha: work.change.headSha, approvedBy: null };

  run.enter("awaiting-approval");
  const { headSha } = run.status.pullRequest!;
  await awaitPeople(
    run,
    { kind: "approval", detail: approvalDetail(work, headSha) },
    () => run.hasWish() || headMoved(run, work),
    () => run.turnPage({ kind: "approval", work }),
  );
  if (headMoved(run, work)) return { kind: "head-moved" };
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

function approvalDetail(work: Work, headSha: string): string {
  const notes = [work.verified ? null : `Not verified: ${work.verification}`, work.checksNote, work.mergeRefused];
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
