/** Pull requests, reviews, statuses and check runs as GitHub's REST API shows them. */
import { branchSha, countCommits, diffStat, hasCommit, isAncestor, mergedTree } from "./git.ts";
import { gitDirectory, type Played } from "./played.ts";
import {
  association,
  htmlUrl,
  renderApp,
  renderLabels,
  renderRepository,
  renderUser,
  repositoryUrl,
} from "./render.ts";
import type { CheckRun, Issue, Pull, Repository, Review, Status } from "./world.ts";

/** An issue that is a pull request. */
export type PullIssue = Issue & { pull: Pull };

export function isPull(issue: Issue): issue is PullIssue {
  return issue.pull !== null;
}

/** As in a list: without what GitHub has to compute. */
export function renderSimplePull(played: Played, repository: Repository, issue: PullIssue): Record<string, unknown> {
  const { pull } = issue;
  const url = `${repositoryUrl(played, repository)}/pulls/${issue.number}`;
  const html = `${htmlUrl(played, repository)}/pull/${issue.number}`;
  const issueUrl = `${repositoryUrl(played, repository)}/issues/${issue.number}`;
  const statusesUrl = `${repositoryUrl(played, repository)}/statuses/${pull.headSha}`;
  const assignees = issue.assignees.map((login) => renderUser(played, login));
  const side = (ref: string, sha: string): Record<string, unknown> => ({
    label: `${repository.owner}:${ref}`,
    ref,
    sha,
    user: renderUser(played, repository.owner),
    repo: renderRepository(played, repository),
  });
  return {
    id: pull.id,
    node_id: `PR_${pull.id}`,
    url,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issueUrl,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${repositoryUrl(played, repository)}/pulls/comments{/number}`,
    comments_url: `${issueUrl}/comments`,
    statuses_url: statusesUrl,
    number: issue.number,
    state: issue.state,
    locked: issue.locked,
    active_lock_reason: null,
    title: issue.title,
    body: issue.body,
    user: renderUser(played, issue.author),
    labels: renderLabels(played, repository, issue),
    milestone: null,
    assignee: assignees[0] ?? null,
    assignees,
    requested_reviewers: [],
    requested_teams: [],
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeSha,
    draft: pull.draft,
    head: side(pull.headRef, pull.headSha),
    base: side(pull.baseRef, pull.baseSha),
    author_association: association(repository, issue.author),
    auto_merge: null,
    _links: {
      self: { href: url },
      html: { href: html },
      issue: { href: issueUrl },
      comments: { href: `${issueUrl}/comments` },
      review_comments: { href: `${url}/comments` },
      review_comment: { href: `${repositoryUrl(played, repository)}/pulls/comments{/number}` },
      commits: { href: `${url}/commits` },
      statuses: { href: statusesUrl },
    },
  };
}

export async function renderPull(
  played: Played,
  repository: Repository,
  issue: PullIssue,
): Promise<Record<string, unknown>> {
  const { pull } = issue;
  const directory = gitDirectory(played, repository);
  const mergeable = await mergeableOf(played, repository, issue);
  const stat = await diffStat(directory, pull.baseSha, pull.headSha);
  return {
    ...renderSimplePull(played, repository, issue),
    merged: pull.merged,
    mergeable,
    rebaseable: mergeable,
    mergeable_state: mergeableState(pull, mergeable, await isBehind(directory, repository, issue)),
    merged_by: renderUser(played, pull.mergedBy),
    comments: issue.comments.length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: await countCommits(directory, pull.baseSha, pull.headSha),
    additions: stat.additions,
    deletions: stat.deletions,
    changed_files: stat.changedFiles,
  };
}

/** null: still being computed, or no longer of interest. */
export async function mergeableOf(played: Played, repository: Repository, issue: PullIssue): Promise<boolean | null> {
  const { pull } = issue;
  if (issue.state === "closed") return null;
  if (Date.now() < Date.parse(pull.movedAt) + (repository.mergeableDelayMs ?? played.mergeableDelayMs)) return null;
  const directory = gitDirectory(played, repository);
  const base = await branchSha(directory, pull.baseRef);
  if (base === null || !(await hasCommit(directory, pull.headSha))) return false;
  return (await mergedTree(directory, base, pull.headSha)) !== null;
}

/** Whether a branch lacks commits of a base that wants all of them. */
export async function isBehind(directory: string, repository: Repository, { pull }: PullIssue): Promise<boolean> {
  if (repository.protection?.strict !== true || pull.baseRef !== repository.defaultBranch) return false;
  const base = await branchSha(directory, pull.baseRef);
  return base !== null && !(await isAncestor(directory, base, pull.headSha));
}

function mergeableState(pull: Pull, mergeable: boolean | null, behind: boolean): string {
  if (mergeable === null) return "unknown";
  if (!mergeable) return "dirty";
  if (pull.draft) return "draft";
  return behind ? "behind" : "clean";
}

export function renderReview(
  played: Played,
  repository: Repository,
  issue: Issue,
  review: Review,
): Record<string, unknown> {
  const html = `${htmlUrl(played, repository)}/pull/${issue.number}#pullrequestreview-${review.id}`;
  const pullUrl = `${repositoryUrl(played, repository)}/pulls/${issue.number}`;
  return {
    id: review.id,
    node_id: `PRR_${review.id}`,
    user: renderUser(played, review.author),
    body: review.body,
    state: review.state,
    html_url: html,
    pull_request_url: pullUrl,
    _links: { html: { href: html }, pull_request: { href: pullUrl } },
    ...(review.state !== "PENDING" && { submitted_at: review.submittedAt }),
    commit_id: review.commitId,
    author_association: association(repository, review.author),
  };
}

export function renderReviewComment(
  played: Played,
  repository: Repository,
  issue: Issue,
  review: Review,
  comment: NonNullable<Review["comments"]>[number],
  index: number,
): Record<string, unknown> {
  const id = review.id * 1000 + index;
  const html = `${htmlUrl(played, repository)}/pull/${issue.number}#discussion_r${id}`;
  const pullUrl = `${repositoryUrl(played, repository)}/pulls/${issue.number}`;
  const url = `${repositoryUrl(played, repository)}/pulls/comments/${id}`;
  return {
    id,
    node_id: `PRRC_${id}`,
    url,
    pull_request_review_id: review.id,
    diff_hunk: "",
    path: comment.path,
    line: comment.line,
    side: "RIGHT",
    commit_id: review.commitId,
    original_commit_id: review.commitId,
    user: renderUser(played, review.author),
    body: comment.body,
    created_at: review.submittedAt,
    updated_at: review.submittedAt,
    html_url: html,
    pull_request_url: pullUrl,
    author_association: association(repository, review.author),
    _links: { self: { href: url }, html: { href: html }, pull_request: { href: pullUrl } },
  };
}

export function renderSimpleStatus(played: Played, repository: Repository, status: Status): Record<string, unknown> {
  return {
    url: `${repositoryUrl(played, repository)}/statuses/${status.sha}`,
    avatar_url: `${played.base}/avatars/u/${status.id}`,
    id: status.id,
    node_id: `SC_${status.id}`,
    state: status.state,
    description: status.description,
    target_url: status.targetUrl,
    context: status.context,
    created_at: status.createdAt,
    updated_at: status.createdAt,
  };
}

export function renderCheckRun(played: Played, repository: Repository, run: CheckRun): Record<string, unknown> {
  const app = played.world.apps.find((candidate) => candidate.id === run.appId);
  const url = `${repositoryUrl(played, repository)}/check-runs/${run.id}`;
  return {
    id: run.id,
    node_id: `CR_${run.id}`,
    name: run.name,
    head_sha: run.sha,
    external_id: run.externalId,
    url,
    html_url: `${htmlUrl(played, repository)}/runs/${run.id}`,
    details_url: run.detailsUrl ?? `${htmlUrl(played, repository)}/runs/${run.id}`,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      title: run.title,
      summary: run.summary,
      text: run.text,
      annotations_count: run.annotations?.length ?? 0,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: suiteId(run) },
    app: app ? renderApp(played, app) : renderApp(played, ACTIONS),
    pull_requests: [],
  };
}

/** GitHub keeps one suite for each App and commit. */
export function suiteId(run: CheckRun): number {
  return Number.parseInt(run.sha.slice(0, 8), 16) + (run.appId ?? ACTIONS.id);
}

/** Checks that a test makes as a person's pipeline would. */
export const ACTIONS = {
  id: 15368,
  slug: "github-actions",
  publicKey: "",
  permissions: { checks: "write", metadata: "read" },
  events: ["check_run"],
};
