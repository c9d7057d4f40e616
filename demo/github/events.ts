/** What happened, as webhook events: one function for each kind, all with repository, sender and installation. */
import type { Actor } from "./access.ts";
import { readCommit } from "./git.ts";
import { gitDirectory, type Played } from "./played.ts";
import { htmlUrl, renderComment, renderIssue, renderRepository, renderUser, repositoryUrl } from "./render.ts";
import {
  type PullIssue,
  isPull,
  renderCheckRun,
  renderPull,
  renderReview,
  renderSimplePull,
  suiteId,
} from "./render-pull.ts";
import type { CheckRun, Comment, Issue, Repository, Review, Status } from "./world.ts";

export interface Happening {
  played: Played;
  repository: Repository;
  actor: Actor;
}

function emit(happening: Happening, event: string, action: string | null, facts: object): void {
  const { played, repository, actor } = happening;
  const installation = played.world.installations.find(
    (candidate) => candidate.owner.toLowerCase() === repository.owner.toLowerCase(),
  );
  played.hooks.send(event, action, {
    ...(action !== null && { action }),
    ...facts,
    repository: renderRepository(played, repository),
    sender: renderUser(played, actor.login ?? repository.owner),
    ...(installation && { installation: { id: installation.id, node_id: `IN_${installation.id}` } }),
  });
}

export async function issueHappened(
  happening: Happening,
  action: string,
  issue: Issue,
  more: object = {},
): Promise<void> {
  if (isPull(issue)) return await pullHappened(happening, action, issue, more);
  const { played, repository } = happening;
  emit(happening, "issues", action, { issue: renderIssue(played, repository, issue), ...more });
}

export async function pullHappened(
  happening: Happening,
  action: string,
  issue: PullIssue,
  more: object = {},
): Promise<void> {
  const { played, repository } = happening;
  const pull_request = await renderPull(played, repository, issue);
  emit(happening, "pull_request", action, { number: issue.number, pull_request, ...more });
}

export function commentHappened(
  happening: Happening,
  action: string,
  issue: Issue,
  comment: Comment,
  more: object = {},
): void {
  const { played, repository } = happening;
  emit(happening, "issue_comment", action, {
    issue: renderIssue(played, repository, issue),
    comment: renderComment(played, repository, issue, comment),
    ...more,
  });
}

export function reviewHappened(happening: Happening, action: string, issue: PullIssue, review: Review): void {
  const { played, repository } = happening;
  const rendered = renderReview(played, repository, issue, review);
  emit(happening, "pull_request_review", action, {
    // The event spells the state in lower case, the REST API in upper case.
    review: { ...rendered, state: review.state.toLowerCase() },
    pull_request: renderSimplePull(played, repository, issue),
  });
}

export async function checkRunHappened(
  happening: Happening,
  action: "created" | "completed",
  run: CheckRun,
): Promise<void> {
  const { played, repository } = happening;
  const siblings = repository.checkRuns.filter((other) => suiteId(other) === suiteId(run));
  const done = siblings.every((other) => other.status === "completed");
  const rendered = renderCheckRun(played, repository, run);
  const branch =
    repository.issues.find((issue) => issue.pull?.headSha === run.sha)?.pull?.headRef ?? repository.defaultBranch;
  const suite = {
    id: suiteId(run),
    node_id: `CS_${suiteId(run)}`,
    head_branch: branch,
    head_sha: run.sha,
    status: done ? "completed" : "in_progress",
    conclusion: done ? suiteConclusion(siblings) : null,
    url: `${repositoryUrl(played, repository)}/check-suites/${suiteId(run)}`,
    before: null,
    after: run.sha,
    pull_requests: [],
    app: rendered["app"],
    created_at: run.startedAt,
    updated_at: run.completedAt ?? run.startedAt,
  };
  emit(happening, "check_run", action, { check_run: { ...rendered, check_suite: suite } });
  if (action !== "completed" || !done) return;
  const counts = {
    latest_check_runs_count: siblings.length,
    check_runs_url: `${suite.url}/check-runs`,
    rerequestable: true,
    runs_rerequestable: true,
    head_commit: await headCommit(happening, run.sha),
  };
  emit(happening, "check_suite", "completed", { check_suite: { ...suite, ...counts } });
}

function suiteConclusion(runs: readonly CheckRun[]): string {
  const failed = runs.find((run) => !["success", "neutral", "skipped"].includes(run.conclusion ?? ""));
  return failed?.conclusion ?? "success";
}

export async function statusHappened(happening: Happening, status: Status): Promise<void> {
  const { played, repository } = happening;
  const creator = renderUser(played, status.creator);
  emit(happening, "status", null, {
    id: status.id,
    sha: status.sha,
    name: `${repository.owner}/${repository.name}`,
    avatar_url: creator?.["avatar_url"] ?? null,
    target_url: status.targetUrl,
    context: status.context,
    description: status.description,
    state: status.state,
    commit: await wholeCommit(happening, status.sha),
    branches: repository.issues
      .filter(isPull)
      .filter((issue) => issue.pull.headSha === status.sha)
      .map((issue) => ({
        name: issue.pull.headRef,
        commit: { sha: status.sha, url: `${repositoryUrl(played, repository)}/commits/${status.sha}` },
        protected: false,
      })),
    created_at: status.createdAt,
    updated_at: status.createdAt,
  });
}

const NO_COMMIT = "0".repeat(40);

/** `null` for a branch that was not there before, or is no more. */
export async function pushHappened(
  happening: Happening,
  branch: string,
  before: string | null,
  after: string | null,
): Promise<void> {
  const { played, repository, actor } = happening;
  const login = actor.login ?? repository.owner;
  emit(happening, "push", null, {
    ref: `refs/heads/${branch}`,
    before: before ?? NO_COMMIT,
    after: after ?? NO_COMMIT,
    base_ref: null,
    created: before === null,
    deleted: after === null,
    forced: false,
    compare: `${played.base}/${repository.owner}/${repository.name}/compare/${before?.slice(0, 12)}...${after?.slice(0, 12)}`,
    commits: [],
    head_commit:
      after === null
        ? null
        : {
            ...(await headCommit(happening, after)),
            url: `${htmlUrl(played, repository)}/commit/${after}`,
            distinct: true,
            added: [],
            removed: [],
            modified: [],
          },
    pusher: { name: login, email: `${login}@users.noreply.example` },
  });
}

/** A commit as pushes and suites tell it. */
async function headCommit({ played, repository }: Happening, sha: string): Promise<Record<string, unknown>> {
  const commit = await readCommit(gitDirectory(played, repository), sha);
  const { tree, message, author, committer } = commit;
  return {
    id: sha,
    tree_id: tree,
    message,
    timestamp: committer.date,
    author: { name: author.name, email: author.email },
    committer: { name: committer.name, email: committer.email },
  };
}

/** A commit as statuses tell it. */
async function wholeCommit({ played, repository }: Happening, sha: string): Promise<Record<string, unknown>> {
  return renderCommit(played, repository, sha);
}

export async function renderCommit(
  played: Played,
  repository: Repository,
  sha: string,
): Promise<Record<string, unknown>> {
  const { tree, parents, message, author, committer } = await readCommit(gitDirectory(played, repository), sha);
  const url = `${repositoryUrl(played, repository)}/commits/${sha}`;
  const gitUrl = `${repositoryUrl(played, repository)}/git`;
  const html = `${htmlUrl(played, repository)}/commit/${sha}`;
  return {
    sha,
    node_id: `C_${sha}`,
    url,
    html_url: html,
    comments_url: `${url}/comments`,
    commit: {
      author,
      committer,
      message,
      tree: { sha: tree, url: `${gitUrl}/trees/${tree}` },
      url: `${gitUrl}/commits/${sha}`,
      comment_count: 0,
      verification: { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null },
    },
    author: renderUser(played, author.name),
    committer: renderUser(played, committer.name),
    parents: parents.map((parent) => ({
      sha: parent,
      url: url.replace(sha, parent),
      html_url: html.replace(sha, parent),
    })),
  };
}
