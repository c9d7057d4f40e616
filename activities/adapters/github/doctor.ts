/** What the doctor asks of GitHub: is it there, who are we, and may we do in the repository what a run does? */
import { MergewrightError } from "../../../domain/errors.ts";
import type { RepositoryName } from "../../../domain/ids.ts";
import { type Client, createClient } from "./client.ts";
import type { ForgeAuth, ForgeOptions } from "./options.ts";

export interface GitHubCheck {
  name: string;
  /** null: GitHub does not tell, so nobody knows before a run tries. */
  ok: boolean | null;
  /** What was found, in one sentence. */
  reason: string;
  /** What to do about it; null where there is nothing to do. */
  mend: string | null;
}

/** Never throws for what GitHub says: a refusal is a finding. Without a repository only the account is looked at. */
export async function checkGitHub(options: ForgeOptions & { repository?: RepositoryName }): Promise<GitHubCheck[]> {
  const client = createClient({ ...options, writeSpacingMs: 0 });
  const { repository } = options;
  const kind: GitHubCheck = { name: "GitHub credentials", ok: true, reason: `${kindOf(options.auth)}.`, mend: null };
  const checks = options.auth.kind === "app" ? [() => checkApp(client)] : [() => checkAccount(client)];
  if (repository !== undefined) {
    checks.push(
      options.auth.kind === "app" ? () => checkInstallation(client, repository) : () => checkPush(client, repository),
    );
    checks.push(() => checkReadsChecks(client, repository));
  }
  const found = [kind];
  for (const check of checks) found.push(await check().catch(asFinding));
  return found;
}

function asFinding(error: unknown): GitHubCheck {
  if (!(error instanceof MergewrightError)) throw error;
  const mend =
    error.name === "AccessDenied" || error.name === "NotFound"
      ? "Check GITHUB_TOKEN (or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY) and what it may see."
      : "Check GITHUB_API_URL and the way to it, then try again.";
  return { name: "GitHub", ok: false, reason: error.message, mend };
}

/** GitHub's prefixes tell what a token is. */
export function kindOf(auth: ForgeAuth): string {
  if (auth.kind === "app") return `GitHub App ${auth.appId}`;
  const kinds: [string, string][] = [
    ["github_pat_", "Fine-grained personal access token"],
    ["ghp_", "Classic personal access token"],
    ["gho_", "OAuth token"],
    ["ghu_", "User token of a GitHub App"],
    ["ghs_", "Installation token, which lives an hour"],
  ];
  return kinds.find(([prefix]) => auth.token.startsWith(prefix))?.[1] ?? "Token of an unknown kind";
}

/** Any repository name will do for a question that is about no repository. */
const NO_REPOSITORY = "octocat/hello-world";

async function checkAccount(client: Client): Promise<GitHubCheck> {
  const name = "GitHub account";
  const answer = await client.answer(NO_REPOSITORY, "read who the token belongs to", (octokit) =>
    octokit.rest.users.getAuthenticated(),
  );
  const who = `Signed in as ${answer.data.login}`;
  const header = answer.headers["x-oauth-scopes"];
  // Only classic tokens have scopes; those of fine-grained tokens show when they are used.
  if (header === undefined) return { name, ok: true, reason: `${who}.`, mend: null };
  const scopes = header.split(",").map((scope) => scope.trim());
  if (scopes.includes("repo")) return { name, ok: true, reason: `${who} with the scope repo.`, mend: null };
  if (scopes.includes("public_repo")) {
    return { name, ok: true, reason: `${who} with the scope public_repo: public repositories only.`, mend: null };
  }
  const reason = `${who}, but the token's scopes are: ${header || "none"}.`;
  return { name, ok: false, reason, mend: "Give the classic token the scope `repo`, or make a fine-grained one." };
}

async function checkPush(client: Client, repository: RepositoryName): Promise<GitHubCheck> {
  const facts = await client.ask(repository, `read the repository ${repository}`, (api, at) => api.repos.get(at));
  const name = `Repository ${facts.full_name}`;
  if (facts.archived) return { name, ok: false, reason: "It is archived.", mend: "Unarchive it in its settings." };
  if (facts.permissions === undefined) {
    return { name, ok: null, reason: "GitHub does not tell what the token may do there.", mend: null };
  }
  if (facts.permissions.push) return { name, ok: true, reason: "The account may push.", mend: null };
  return {
    name,
    ok: false,
    reason: "The account may read, but not push.",
    mend: "Give the account the role Write in the repository, and a fine-grained token Contents, Issues, Pull requests and Commit statuses: read and write.",
  };
}

/** What a run needs of an App, and what of it is a question of settings. */
const NEEDED: Readonly<Record<string, "read" | "write">> = {
  metadata: "read",
  contents: "write",
  issues: "write",
  pull_requests: "write",
  checks: "write",
  statuses: "write",
};
const EVENTS = ["issues", "issue_comment", "pull_request", "pull_request_review", "check_run", "check_suite", "status"];

async function checkApp(client: Client): Promise<GitHubCheck> {
  const name = "GitHub App";
  const app = await client.askAsApp("read the App's own account", (api) => api.apps.getAuthenticated());
  const missing = EVENTS.filter((event) => !app?.events.includes(event));
  const who = `Signed in as the App ${app?.slug ?? "?"}`;
  if (missing.length === 0) return { name, ok: true, reason: `${who}, subscribed to all events.`, mend: null };
  const mend = `Subscribe the App to ${missing.join(", ")} in its settings under Permissions & events.`;
  return { name, ok: false, reason: `${who}, which is not sent: ${missing.join(", ")}.`, mend };
}

async function checkInstallation(client: Client, repository: RepositoryName): Promise<GitHubCheck> {
  const name = `Repository ${repository}`;
  const [owner = "", repo = ""] = repository.split("/");
  const installation = await client.askAsApp(`find the App's installation on ${repository}`, (api) =>
    api.apps.getRepoInstallation({ owner, repo }),
  );
  if (installation.suspended_at) {
    return { name, ok: false, reason: "The installation is suspended.", mend: "Unsuspend it in the owner's settings." };
  }
  const granted = installation.permissions as Readonly<Record<string, string | undefined>>;
  const missing = Object.entries(NEEDED).filter(([key, level]) => granted[key] !== "write" && granted[key] !== level);
  if (missing.length === 0) return { name, ok: true, reason: "The App is installed with all permissions.", mend: null };
  const words = missing.map(([key, level]) => `${key}: ${level}`).join(", ");
  const mend = `Give the App ${words} in its settings; the owner must then accept the new permissions.`;
  return { name, ok: false, reason: `The App is installed, but lacks ${words}.`, mend };
}

/** Some fine-grained tokens may not read checks of private repositories; a run would stop there before its merge. */
async function checkReadsChecks(client: Client, repository: RepositoryName): Promise<GitHubCheck> {
  const name = "Checks and statuses";
  const { default_branch: ref } = await client.ask(repository, `read the repository ${repository}`, (api, at) =>
    api.repos.get(at),
  );
  try {
    await client.ask(repository, "read check runs", (api, at) => api.checks.listForRef({ ...at, ref, per_page: 1 }));
    await client.ask(repository, "read statuses", (api, at) => api.repos.getCombinedStatusForRef({ ...at, ref }));
  } catch (error) {
    if (!(error instanceof MergewrightError) || error.name === "ServiceUnavailable") throw error;
    const mend =
      "Give the token or App read access to checks and commit statuses; a classic token or an App can have both.";
    return { name, ok: false, reason: error.message, mend };
  }
  return { name, ok: true, reason: "They can be read.", mend: null };
}
