/** Pull requests: opening, reading, editing, merging. */
import { mayPush, type Need } from "../access.ts";
import { pullHappened } from "../events.ts";
import { branchSha, countCommits, setRef } from "../git.ts";
import { checkLength, forbidden, invalid, notFound, Refusal, requiredText, text, unprocessable } from "../http.ts";
import { mergePull } from "../merging.ts";
import { gitDirectory, newId, now } from "../played.ts";
import { isPull, type PullIssue, renderPull, renderSimplePull } from "../render-pull.ts";
import { type AskedOf, isAtLeast, issueOf, page, repositoryRoute, type Route } from "../router.ts";
import type { MergeMethod } from "../world.ts";
import { editIssue, newIssue } from "./issues.ts";

const READ: Need = { role: "read", app: "pull_requests:read" };
const PROPOSE: Need = { role: "read", app: "pull_requests:write" };
const MERGE: Need = { role: "write", app: "contents:write" };

export const pullRoutes: Route[] = [
  repositoryRoute("GET", "/pulls", READ, (asked) => {
    const { played, repository, query } = asked;
    const state = query.get("state") ?? "open";
    const head = query.get("head");
    // GitHub leaves a head out of account that is not written `owner:branch`.
    const wanted = head?.includes(":") ? head.toLowerCase() : null;
    const found = repository.issues
      .filter(isPull)
      .filter((issue) => state === "all" || issue.state === state)
      .filter((issue) => wanted === null || `${repository.owner}:${issue.pull.headRef}`.toLowerCase() === wanted)
      .filter((issue) => query.get("base") === null || issue.pull.baseRef === query.get("base"));
    if (query.get("direction") !== "asc") found.reverse();
    const path = `/repos/${repository.owner}/${repository.name}/pulls`;
    return page(
      asked,
      path,
      found.map((issue) => renderSimplePull(played, repository, issue)),
    );
  }),

  repositoryRoute("POST", "/pulls", PROPOSE, open),

  repositoryRoute("GET", "/pulls/{pull_number}", READ, async (asked) => ({
    status: 200,
    body: await renderPull(asked.played, asked.repository, pullOf(asked)),
  })),

  repositoryRoute("PATCH", "/pulls/{pull_number}", PROPOSE, async (asked) => {
    const { played, repository, body, actor } = asked;
    const issue = pullOf(asked);
    if (issue.author !== actor.login && !isAtLeast(asked, "write"))
      throw forbidden("Must have admin rights to Repository.");
    await editIssue(asked, issue);
    const state = text(body, "state", "PullRequest");
    if (state !== null && state !== "open" && state !== "closed") throw invalid("PullRequest", "state", "invalid");
    const happening = { played, repository, actor };
    if (state === "closed" && issue.state === "open") {
      Object.assign(issue, { state: "closed", closedAt: now(), closedBy: actor.login, updatedAt: now() });
      await pullHappened(happening, "closed", issue);
    }
    if (state === "open" && issue.state === "closed") {
      if (issue.pull.merged)
        throw unprocessable("PullRequest", "state cannot be changed. The pull request cannot be reopened.");
      const sha = await branchSha(gitDirectory(played, repository), issue.pull.headRef);
      if (sha === null) throw unprocessable("PullRequest", "state cannot be changed. The head branch was deleted.");
      Object.assign(issue, { state: "open", closedAt: null, closedBy: null, updatedAt: now() });
      issue.pull.headSha = sha;
      await pullHappened(happening, "reopened", issue);
    }
    return { status: 200, body: await renderPull(played, repository, issue) };
  }),

  repositoryRoute("PUT", "/pulls/{pull_number}/merge", MERGE, async (asked) => {
    const { played, repository, body, actor } = asked;
    const method = text(body, "merge_method", "PullRequest") ?? "merge";
    if (!["merge", "squash", "rebase"].includes(method)) throw invalid("PullRequest", "merge_method", "invalid");
    const sha = await mergePull({ played, repository, actor }, pullOf(asked), {
      method: method as MergeMethod,
      sha: text(body, "sha", "PullRequest"),
      title: text(body, "commit_title", "PullRequest"),
      message: text(body, "commit_message", "PullRequest"),
    });
    return { status: 200, body: { sha, merged: true, message: "Pull Request successfully merged" } };
  }),

  repositoryRoute("GET", "/pulls/{pull_number}/merge", READ, (asked) => {
    if (!pullOf(asked).pull.merged) throw notFound();
    return { status: 204 };
  }),
];

export function pullOf(asked: AskedOf): PullIssue {
  const issue = issueOf(asked);
  if (!isPull(issue)) throw notFound();
  return issue;
}

async function open(asked: AskedOf): Promise<{ status: number; body: unknown }> {
  const { played, repository, body, actor } = asked;
  const title = requiredText(body, "title", "PullRequest");
  const base = requiredText(body, "base", "PullRequest");
  const named = requiredText(body, "head", "PullRequest");
  const head = named.toLowerCase().startsWith(`${repository.owner.toLowerCase()}:`)
    ? named.slice(named.indexOf(":") + 1)
    : named;
  const directory = gitDirectory(played, repository);
  const headSha = await branchSha(directory, head);
  const baseSha = await branchSha(directory, base);
  if (headSha === null) throw invalid("PullRequest", "head", "invalid");
  if (baseSha === null) throw invalid("PullRequest", "base", "invalid");
  if (!mayPush(repository, actor)) throw forbidden("Must have push access to the head branch.");
  const draft = body["draft"] === true;
  if (draft && !repository.draftsAllowed)
    throw new Refusal(422, "Draft pull requests are not supported in this repository.");
  const known = repository.issues
    .filter(isPull)
    .find((issue) => issue.state === "open" && issue.pull.headRef === head && issue.pull.baseRef === base);
  if (known) throw unprocessable("PullRequest", `A pull request already exists for ${repository.owner}:${head}.`);
  if ((await countCommits(directory, baseSha, headSha)) === 0) {
    throw unprocessable("PullRequest", `No commits between ${base} and ${head}`);
  }
  const written = checkLength(text(body, "body", "PullRequest"), "PullRequest");
  const issue: PullIssue = {
    ...newIssue(asked, title, written),
    pull: {
      id: newId(played),
      headRef: head,
      headSha,
      baseRef: base,
      baseSha,
      draft,
      merged: false,
      mergedAt: null,
      mergedBy: null,
      mergeSha: null,
      movedAt: now(),
      reviews: [],
    },
  };
  repository.issues.push(issue);
  await setRef(directory, `refs/pull/${issue.number}/head`, headSha);
  await pullHappened({ played, repository, actor }, "opened", issue);
  return { status: 201, body: await renderPull(played, repository, issue) };
}
