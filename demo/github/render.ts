/** Accounts, repositories, issues and comments as GitHub's REST API shows them. */
import { atLeast, roleOf } from "./access.ts";
import type { Played } from "./played.ts";
import {
  type Account,
  type App,
  type Comment,
  findAccount,
  fullName,
  type Issue,
  type Label,
  type Reaction,
  type Repository,
} from "./world.ts";

export function renderUser(played: Played, login: string | null): Record<string, unknown> | null {
  const account = login === null ? undefined : findAccount(played.world, login);
  return account ? renderAccount(played, account) : null;
}

export function renderAccount({ base }: Played, account: Account): Record<string, unknown> {
  const url = `${base}/users/${encodeURIComponent(account.login)}`;
  const path = account.type === "Bot" ? `apps/${account.login.replace("[bot]", "")}` : account.login;
  return {
    login: account.login,
    id: account.id,
    node_id: `U_${account.id}`,
    avatar_url: `${base}/avatars/u/${account.id}`,
    gravatar_id: "",
    url,
    html_url: `${base}/${path}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    user_view_type: "public",
    site_admin: false,
  };
}

export function renderProfile(played: Played, account: Account): Record<string, unknown> {
  const since = "2024-01-01T00:00:00Z";
  const empty = { name: null, company: null, blog: "", location: null, email: null, hireable: null, bio: null };
  const counts = { public_repos: 0, public_gists: 0, followers: 0, following: 0 };
  return { ...renderAccount(played, account), ...empty, ...counts, created_at: since, updated_at: since };
}

/** Whoever made an App that nobody here did. */
const MAKER: Account = { id: 9919, login: "github", type: "Organization", token: null };

export function renderApp(played: Played, app: App): Record<string, unknown> {
  const owner = findAccount(played.world, `${app.slug}[bot]`) ?? MAKER;
  const page = `${played.base}/apps/${app.slug}`;
  const since = "2024-01-01T00:00:00Z";
  return {
    id: app.id,
    slug: app.slug,
    node_id: `A_${app.id}`,
    client_id: `Iv1.${app.id}`,
    owner: renderAccount(played, owner),
    name: app.slug,
    description: null,
    external_url: page,
    html_url: page,
    created_at: since,
    updated_at: since,
    permissions: app.permissions,
    events: app.events,
  };
}

export function repositoryUrl({ base }: Played, repository: Repository): string {
  return `${base}/repos/${fullName(repository)}`;
}

export function htmlUrl({ base }: Played, repository: Repository): string {
  return `${base}/${fullName(repository)}`;
}

/** Paths under the repository's address that GitHub lists as templates. */
const TEMPLATES: Readonly<Record<string, string>> = {
  archive: "/{archive_format}{/ref}",
  assignees: "/assignees{/user}",
  blobs: "/git/blobs{/sha}",
  branches: "/branches{/branch}",
  collaborators: "/collaborators{/collaborator}",
  comments: "/comments{/number}",
  commits: "/commits{/sha}",
  compare: "/compare/{base}...{head}",
  contents: "/contents/{+path}",
  contributors: "/contributors",
  deployments: "/deployments",
  downloads: "/downloads",
  events: "/events",
  forks: "/forks",
  git_commits: "/git/commits{/sha}",
  git_refs: "/git/refs{/sha}",
  git_tags: "/git/tags{/sha}",
  hooks: "/hooks",
  issue_comment: "/issues/comments{/number}",
  issue_events: "/issues/events{/number}",
  issues: "/issues{/number}",
  keys: "/keys{/key_id}",
  labels: "/labels{/name}",
  languages: "/languages",
  merges: "/merges",
  milestones: "/milestones{/number}",
  notifications: "/notifications{?since,all,participating}",
  pulls: "/pulls{/number}",
  releases: "/releases{/id}",
  stargazers: "/stargazers",
  statuses: "/statuses/{sha}",
  subscribers: "/subscribers",
  subscription: "/subscription",
  tags: "/tags",
  teams: "/teams",
  trees: "/git/trees{/sha}",
};

/** `login` is who asks: GitHub tells their permissions with the repository. */
export function renderRepository(
  played: Played,
  repository: Repository,
  login: string | null = null,
): Record<string, unknown> {
  const url = repositoryUrl(played, repository);
  const html = htmlUrl(played, repository);
  const open = repository.issues.filter((issue) => issue.state === "open" && !issue.deleted).length;
  const role = roleOf(repository, login);
  const templates = Object.entries(TEMPLATES).map(([name, path]) => [`${name}_url`, `${url}${path}`] as const);
  return {
    id: repository.id,
    node_id: `R_${repository.id}`,
    name: repository.name,
    full_name: fullName(repository),
    owner: renderUser(played, repository.owner),
    private: repository.private,
    html_url: html,
    description: null,
    fork: false,
    url,
    ...Object.fromEntries(templates),
    git_url: html.replace(/^http/, "git").concat(".git"),
    ssh_url: `git@${new URL(played.base).hostname}:${fullName(repository)}.git`,
    clone_url: `${html}.git`,
    svn_url: html,
    mirror_url: null,
    homepage: null,
    language: null,
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    size: 1,
    default_branch: repository.defaultBranch,
    open_issues: open,
    open_issues_count: open,
    is_template: false,
    topics: [],
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_downloads: true,
    has_discussions: false,
    archived: repository.archived,
    disabled: false,
    visibility: repository.private ? "private" : "public",
    license: null,
    allow_forking: true,
    web_commit_signoff_required: false,
    pushed_at: repository.pushedAt,
    created_at: repository.createdAt,
    updated_at: repository.pushedAt,
    allow_merge_commit: repository.mergeMethods.includes("merge"),
    allow_squash_merge: repository.mergeMethods.includes("squash"),
    allow_rebase_merge: repository.mergeMethods.includes("rebase"),
    permissions: {
      admin: atLeast(role, "admin"),
      maintain: atLeast(role, "maintain"),
      push: atLeast(role, "write"),
      triage: atLeast(role, "triage"),
      pull: atLeast(role, "read"),
    },
  };
}

/** The answer to `GET /repos/...` itself has a little more. */
export function renderFullRepository(
  played: Played,
  repository: Repository,
  login: string | null,
): Record<string, unknown> {
  return { ...renderRepository(played, repository, login), network_count: 0, subscribers_count: 1 };
}

export function renderLabel(played: Played, repository: Repository, label: Label): Record<string, unknown> {
  const url = `${repositoryUrl(played, repository)}/labels/${encodeURIComponent(label.name)}`;
  return {
    id: label.id,
    node_id: `LA_${label.id}`,
    url,
    name: label.name,
    color: label.color,
    default: false,
    description: label.description,
  };
}

export function renderLabels(played: Played, repository: Repository, issue: Issue): Record<string, unknown>[] {
  return issue.labels.flatMap((name) => {
    const label = repository.labels.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
    return label ? [renderLabel(played, repository, label)] : [];
  });
}

export function renderReactions(url: string, reactions: readonly Reaction[]): Record<string, unknown> {
  const count = (content: string): number => reactions.filter((reaction) => reaction.content === content).length;
  const contents = ["+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket"];
  const counts = Object.fromEntries(contents.map((content) => [content, count(content)]));
  return { url: `${url}/reactions`, total_count: reactions.length, ...counts };
}

export function association(repository: Repository, login: string | null): string {
  if (login?.toLowerCase() === repository.owner.toLowerCase()) return "OWNER";
  return login !== null && repository.permissions[login] !== undefined ? "COLLABORATOR" : "NONE";
}

export function renderIssue(played: Played, repository: Repository, issue: Issue): Record<string, unknown> {
  const url = `${repositoryUrl(played, repository)}/issues/${issue.number}`;
  const html = `${htmlUrl(played, repository)}/${issue.pull ? "pull" : "issues"}/${issue.number}`;
  const assignees = issue.assignees.map((login) => renderUser(played, login));
  const pullUrl = `${repositoryUrl(played, repository)}/pulls/${issue.number}`;
  return {
    id: issue.id,
    node_id: `I_${issue.id}`,
    url,
    repository_url: repositoryUrl(played, repository),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    timeline_url: `${url}/timeline`,
    html_url: html,
    number: issue.number,
    title: issue.title,
    body: issue.body,
    user: renderUser(played, issue.author),
    labels: renderLabels(played, repository, issue),
    state: issue.state,
    state_reason: issue.stateReason,
    locked: issue.locked,
    active_lock_reason: null,
    assignee: assignees[0] ?? null,
    assignees,
    milestone: null,
    comments: issue.comments.length,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    closed_by: renderUser(played, issue.closedBy),
    author_association: association(repository, issue.author),
    performed_via_github_app: null,
    reactions: renderReactions(url, issue.reactions),
    ...(issue.pull && {
      draft: issue.pull.draft,
      pull_request: {
        url: pullUrl,
        html_url: html,
        diff_url: `${html}.diff`,
        patch_url: `${html}.patch`,
        merged_at: issue.pull.mergedAt,
      },
    }),
  };
}

export function renderComment(
  played: Played,
  repository: Repository,
  issue: Issue,
  comment: Comment,
): Record<string, unknown> {
  const url = `${repositoryUrl(played, repository)}/issues/comments/${comment.id}`;
  const html = `${htmlUrl(played, repository)}/${issue.pull ? "pull" : "issues"}/${issue.number}`;
  return {
    id: comment.id,
    node_id: `IC_${comment.id}`,
    url,
    html_url: `${html}#issuecomment-${comment.id}`,
    issue_url: `${repositoryUrl(played, repository)}/issues/${issue.number}`,
    body: comment.body,
    user: renderUser(played, comment.author),
    author_association: association(repository, comment.author),
    performed_via_github_app: null,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    reactions: renderReactions(url, comment.reactions),
  };
}

export function renderReaction(played: Played, reaction: Reaction): Record<string, unknown> {
  const { id, content, createdAt } = reaction;
  return { id, node_id: `RE_${id}`, user: renderUser(played, reaction.login), content, created_at: createdAt };
}
