/** A merge as GitHub makes it: refused for the same reasons, made by plumbing in the bare repository. */
import { closedBy, closeIssue } from "./closing.ts";
import { type Happening, pullHappened, pushHappened } from "./events.ts";
import { type Author, branchSha, commitTree, git, mergedTree, rebased, setRef } from "./git.ts";
import { Refusal } from "./http.ts";
import { gitAuthor, gitDirectory, now } from "./played.ts";
import { isBehind, mergeableOf, type PullIssue } from "./render-pull.ts";
import { type MergeMethod, type Repository, submittedReviews } from "./world.ts";

export interface MergeOrder {
  method: MergeMethod;
  /** The head that the merge is meant for; null: whatever it is. */
  sha: string | null;
  title: string | null;
  message: string | null;
  /** The merge queue itself merges. */
  fromQueue?: boolean;
}

/** GitHub lets a required check be skipped or neutral. */
const PASSES = new Set(["success", "neutral", "skipped"]);

const NAMES: Readonly<Record<MergeMethod, string>> = {
  merge: "Merge commits",
  squash: "Squash merges",
  rebase: "Rebase merges",
};

/** The commit that the base branch stands at afterwards. */
export async function mergePull(happening: Happening, issue: PullIssue, order: MergeOrder): Promise<string> {
  const { played, repository, actor } = happening;
  const { pull } = issue;
  const refuse = (message: string): Refusal => new Refusal(405, message);
  if (issue.state === "closed") throw refuse("Pull Request is not mergeable");
  if (order.sha !== null && order.sha !== pull.headSha) {
    throw new Refusal(409, "Head branch was modified. Review and try the merge again.");
  }
  if (pull.draft) throw refuse("Pull Request is still a draft");
  if (!repository.mergeMethods.includes(order.method))
    throw refuse(`${NAMES[order.method]} are not allowed on this repository.`);
  if (order.fromQueue !== true && repository.protection?.queue && pull.baseRef === repository.defaultBranch)
    throw refuse("Changes must be made through the merge queue");
  const missing = missingProtection(repository, issue) ?? (await missingBase(happening, issue));
  if (missing !== null) throw refuse(missing);
  if ((await mergeableOf({ ...played, mergeableDelayMs: 0 }, { ...repository, mergeableDelayMs: 0 }, issue)) !== true)
    throw refuse("Pull Request is not mergeable");

  const directory = gitDirectory(played, repository);
  const base = await branchSha(directory, pull.baseRef);
  if (base === null) throw refuse("Pull Request is not mergeable");
  const sha = await makeMerge(directory, base, repository, issue, order, gitAuthor(actor));
  if (sha === null) throw refuse("Pull Request is not mergeable");
  await setRef(directory, `refs/heads/${pull.baseRef}`, sha, base);

  const at = now();
  Object.assign(pull, { merged: true, mergedAt: at, mergedBy: actor.login, mergeSha: sha, baseSha: base });
  Object.assign(issue, { state: "closed", closedAt: at, closedBy: actor.login, updatedAt: at });
  repository.pushedAt = at;
  for (const other of repository.issues) {
    if (other.pull && other.state === "open" && other.pull.baseRef === pull.baseRef) other.pull.movedAt = at;
  }
  await pullHappened(happening, "closed", issue);
  await pushHappened(happening, pull.baseRef, base, sha);
  if (pull.baseRef === repository.defaultBranch) await closeNamedIssues(happening, issue);
  return sha;
}

async function closeNamedIssues(happening: Happening, issue: PullIssue): Promise<void> {
  const { played, repository } = happening;
  const range = `${issue.pull.baseSha}..${issue.pull.headSha}`;
  const commits = await git(gitDirectory(played, repository), ["log", "--format=%B", range]);
  for (const number of closedBy(`${issue.body ?? ""}\n${commits}`, repository)) {
    const named = repository.issues.find((candidate) => candidate.number === number && candidate.pull === null);
    if (named && named.state === "open" && !named.deleted) await closeIssue(happening, named, "completed");
  }
}

async function makeMerge(
  directory: string,
  base: string,
  repository: Repository,
  issue: PullIssue,
  order: MergeOrder,
  author: Author,
): Promise<string | null> {
  const { pull, number } = issue;
  if (order.method === "rebase") return await rebased(directory, base, pull.headSha, author);
  const tree = await mergedTree(directory, base, pull.headSha);
  if (tree === null) return null;
  if (order.method === "squash") {
    const message = `${order.title ?? `${issue.title} (#${number})`}\n\n${order.message ?? issue.body ?? ""}`.trim();
    return await commitTree(directory, { tree, parents: [base], message, author });
  }
  const title = order.title ?? `Merge pull request #${number} from ${repository.owner}/${pull.headRef}`;
  const message = `${title}\n\n${order.message ?? issue.title}`;
  return await commitTree(directory, { tree, parents: [base, pull.headSha], message, author });
}

async function missingBase({ played, repository }: Happening, issue: PullIssue): Promise<string | null> {
  const behind = await isBehind(gitDirectory(played, repository), repository, issue);
  return behind ? "Head branch is out of date. Update it with the base branch first." : null;
}

/** What the default branch still asks for, in GitHub's words; null when nothing. */
function missingProtection(repository: Repository, { pull }: PullIssue): string | null {
  const { protection } = repository;
  if (protection === null || pull.baseRef !== repository.defaultBranch) return null;
  const latest = new Map(
    submittedReviews(pull)
      .filter(({ state }) => state !== "COMMENTED")
      .map((review) => [review.author, review.state]),
  );
  const states = [...latest.values()];
  if (states.includes("CHANGES_REQUESTED")) return "Changes have been requested by reviewers with write access.";
  const approvals = states.filter((state) => state === "APPROVED").length;
  if (approvals < protection.approvals) {
    return `At least ${protection.approvals} approving review is required by reviewers with write access.`;
  }
  const green = (name: string): boolean =>
    repository.checkRuns.some(
      (run) => run.sha === pull.headSha && run.name === name && PASSES.has(run.conclusion ?? ""),
    ) ||
    repository.statuses.findLast((status) => status.sha === pull.headSha && status.context === name)?.state ===
      "success";
  const waiting = protection.checks.filter((name) => !green(name));
  return waiting.length === 0 ? null : `Required status check "${waiting[0]}" is expected.`;
}
