/** What only GraphQL does: draft and ready. The document is read for the fields that we play, and refused otherwise. */
import { type Actor, atLeast, granted, mayRead, roleOf } from "./access.ts";
import { pullHappened } from "./events.ts";
import { demandsQueue, enterQueue } from "./merge-queue.ts";
import type { Answer, Fields } from "./http.ts";
import { now, type Played } from "./played.ts";
import { renderUser } from "./render.ts";
import { isPull, type PullIssue } from "./render-pull.ts";
import type { Repository } from "./world.ts";

export async function answerGraphql(played: Played, actor: Actor, body: Fields): Promise<Answer> {
  if (actor.kind === "anonymous" || actor.kind === "app") {
    return {
      status: 401,
      body: {
        message: "This endpoint requires you to be authenticated.",
        documentation_url: "https://docs.github.com/graphql",
      },
    };
  }
  const query = body["query"];
  if (typeof query !== "string" || query.trim() === "")
    return failed("A query attribute must be specified and must be a string.");
  const field = /^(?:query|mutation)?[^{]*\{\s*(\w+)/.exec(query.trim())?.[1];
  switch (field) {
    case "viewer": {
      const user = renderUser(played, actor.login);
      return data({ viewer: { login: user?.["login"], databaseId: user?.["id"], id: user?.["node_id"] } });
    }
    case "node":
      return queueEntry(played, actor, body);
    case "enqueuePullRequest":
      return await enqueue(played, actor, field, query, body);
    case "convertPullRequestToDraft":
      return await setDraft(played, actor, field, pullRequestId(query, body), true);
    case "markPullRequestReadyForReview":
      return await setDraft(played, actor, field, pullRequestId(query, body), false);
    default:
      return failed(`Field '${field ?? "?"}' doesn't exist on this played server`, "undefinedField");
  }
}

async function setDraft(
  played: Played,
  actor: Actor,
  field: string,
  nodeId: string | null,
  draft: boolean,
): Promise<Answer> {
  const found = nodeId === null ? null : findPull(played, actor, nodeId);
  if (!found) return failed(`Could not resolve to a node with the global id of '${nodeId}'.`, "NOT_FOUND", field);
  const { repository, issue } = found;
  const may =
    actor.kind === "installation"
      ? granted(actor.app, "pull_requests:write")
      : atLeast(roleOf(repository, actor.login), "write");
  if (!may && issue.author !== actor.login) {
    return failed(
      `${actor.login} does not have the correct permissions to execute \`${field[0]?.toUpperCase()}${field.slice(1)}\``,
      "FORBIDDEN",
      field,
    );
  }
  if (draft && !repository.draftsAllowed)
    return failed("Draft pull requests are not supported in this repository.", "UNPROCESSABLE", field);
  if (issue.state === "closed") return failed("Pull request is closed.", "UNPROCESSABLE", field);
  if (issue.pull.draft === draft)
    return failed(`Pull request is ${draft ? "already" : "not"} in draft state.`, "UNPROCESSABLE", field);
  issue.pull.draft = draft;
  issue.updatedAt = now();
  await pullHappened({ played, repository, actor }, draft ? "converted_to_draft" : "ready_for_review", issue);
  const pullRequest = { id: nodeId, number: issue.number, isDraft: draft, state: issue.state.toUpperCase() };
  return data({ [field]: { pullRequest, clientMutationId: null } });
}

/** Where a pull request stands in the merge queue. */
function queueEntry(played: Played, actor: Actor, body: Fields): Answer {
  const id = (body["variables"] as Fields | undefined)?.["id"];
  const found = typeof id === "string" ? findPull(played, actor, id) : null;
  if (!found) return failed(`Could not resolve to a node with the global id of '${String(id)}'.`, "NOT_FOUND", "node");
  const { pull, state } = found.issue;
  const entry = pull.queued ? { position: 1, state: "AWAITING_CHECKS" } : null;
  return data({
    node: {
      state: pull.merged ? "MERGED" : state.toUpperCase(),
      headRefOid: pull.headSha,
      mergeCommit: pull.mergeSha === null ? null : { oid: pull.mergeSha },
      mergeQueueEntry: entry,
      timelineItems: { nodes: pull.dequeuedBecause == null ? [] : [{ reason: pull.dequeuedBecause }] },
    },
  });
}

async function enqueue(played: Played, actor: Actor, field: string, query: string, body: Fields): Promise<Answer> {
  const nodeId = pullRequestId(query, body);
  const found = nodeId === null ? null : findPull(played, actor, nodeId);
  if (!found) return failed(`Could not resolve to a node with the global id of '${nodeId}'.`, "NOT_FOUND", field);
  const { repository, issue } = found;
  const no = (message: string): Answer => failed(message, "UNPROCESSABLE", field);
  if (!demandsQueue(repository, issue)) return no("The base branch does not require a merge queue.");
  if (issue.state === "closed" || issue.pull.draft) return no("Pull request is not in a mergeable state.");
  if (issue.pull.queued) return no("Pull request is already in the queue.");
  const expected = (body["variables"] as Fields | undefined)?.["sha"];
  if (typeof expected === "string" && expected !== issue.pull.headSha)
    return no("Expected head oid does not match the pull request's head.");
  await enterQueue({ played, repository, actor }, issue);
  const entry = { id: `MQE_${issue.pull.id}`, position: 1, state: "AWAITING_CHECKS" };
  return data({ [field]: { mergeQueueEntry: entry, clientMutationId: null } });
}

function findPull(played: Played, actor: Actor, nodeId: string): { repository: Repository; issue: PullIssue } | null {
  for (const repository of played.world.repositories) {
    if (!mayRead(repository, actor)) continue;
    const issue = repository.issues.filter(isPull).find((candidate) => `PR_${candidate.pull.id}` === nodeId);
    if (issue) return { repository, issue };
  }
  return null;
}

/** `pullRequestId: "..."`, `pullRequestId: $variable`, or `input: $variable`. */
function pullRequestId(query: string, body: Fields): string | null {
  const variables = (typeof body["variables"] === "object" ? body["variables"] : null) as Fields | null;
  const whole = /\binput\s*:\s*\$(\w+)/.exec(query)?.[1];
  if (whole !== undefined) {
    const input = variables?.[whole] as Fields | undefined;
    return typeof input?.["pullRequestId"] === "string" ? input["pullRequestId"] : null;
  }
  const named = /\bpullRequestId\s*:\s*(?:\$(\w+)|"([^"]*)")/.exec(query);
  const value = named?.[2] ?? variables?.[named?.[1] ?? ""];
  return typeof value === "string" ? value : null;
}

const data = (value: object): Answer => ({ status: 200, body: { data: value } });

function failed(message: string, type?: string, path?: string): Answer {
  const error = { message, ...(type !== undefined && { type }), ...(path !== undefined && { path: [path] }) };
  return { status: 200, body: { data: path === undefined ? undefined : { [path]: null }, errors: [error] } };
}
