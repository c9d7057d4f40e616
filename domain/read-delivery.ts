/** The door for webhook deliveries: a stranger's JSON becomes one of the events that a run can be about, or is refused. */
import { z } from "zod";
import type { Actor } from "./events.ts";
import {
  ActionPayload,
  CheckRunPayload,
  CheckSuitePayload,
  CommentPayload,
  IssuesPayload,
  OwnerRenamedPayload,
  OwnersPayload,
  PullRequestPayload,
  RepositoriesGonePayload,
  RepositoryMovedPayload,
  ReviewPayload,
  StatusPayload,
  type IssueFields,
  type PullRequestFields,
} from "./github-payloads.ts";
import type { RepositoryName } from "./ids.ts";
import type { IssueSnapshot } from "./run.ts";

/** What the headers say, and when the delivery arrived (ISO 8601): stands in where a payload carries no time. */
export interface DeliveryHeaders {
  /** `X-GitHub-Delivery`. */
  guid: string;
  receivedAt: string;
}

export type ReadDelivery =
  | { kind: "read"; event: GitHubEvent }
  /** An event or action that no run is ever about. */
  | { kind: "unknown"; reason: string }
  | { kind: "malformed"; reason: string };

/** A delivery reduced to what routing needs. */
export type GitHubEvent = RunEvent | SetUpEvent;

export type RunEvent = { guid: string; sender: Actor | null; at: string; repository: RepositoryName } & (
  | { name: "issue"; action: IssueAction; issue: EventIssue; label: string | null; assignee: Actor | null }
  | { name: "comment"; issue: EventIssue; commentId: number; body: string }
  | { name: "pull-request"; action: PullRequestAction; pullRequest: EventPullRequest }
  | { name: "review"; pullRequest: EventPullRequest; review: EventReview }
  /** `settled` is false for a commit status that is still pending. */
  | { name: "checks"; sha: string; branches: string[]; settled: boolean }
  /** Taken from our App, deleted, or handed to another owner: `repository` is the first of them. */
  | { name: "repositories-gone"; repositories: RepositoryName[] }
  /** A repository, or an account with all of its own: `repository` is what it is called now. */
  | { name: "renamed"; from: string; to: string }
);

/** About how GitHub is set up, not about a run. */
export interface SetUpEvent {
  name: "set-up";
  /** `ping` or `installation.suspend`, for the log. */
  what: string;
}

const ISSUE_ACTIONS = [
  "opened",
  "labeled",
  "unlabeled",
  "assigned",
  "edited",
  "closed",
  "reopened",
  "transferred",
  "deleted",
] as const;
const PULL_REQUEST_ACTIONS = ["synchronize", "closed", "reopened", "dequeued"] as const;
export type IssueAction = (typeof ISSUE_ACTIONS)[number];
export type PullRequestAction = (typeof PULL_REQUEST_ACTIONS)[number];

export interface EventIssue {
  snapshot: IssueSnapshot;
  open: boolean;
  isPullRequest: boolean;
}

export interface EventPullRequest {
  number: number;
  headRef: string;
  headSha: string;
  /** null: the head repository was deleted. */
  headRepository: RepositoryName | null;
  merged: boolean;
  mergeSha: string | null;
}

export interface EventReview {
  state: string;
  author: Actor | null;
  /** null: the review names no commit. */
  sha: string | null;
  text: string;
}

/** Reads one payload. Never throws, whatever the payload is. */
export function readDelivery(eventName: string, payload: unknown, headers: DeliveryHeaders): ReadDelivery {
  const read = ActionPayload.safeParse(payload);
  if (!read.success) return malformed(eventName, read.error);
  const action = read.data.action ?? null;
  const reader = readers.get(eventName);
  return reader
    ? reader(payload, action, headers)
    : { kind: "unknown", reason: `no run is about the event ${eventName}` };
}

/** The account whose webhook secret must have signed this payload, or null where the payload names none. */
export function ownerOf(payload: unknown): string | null {
  const read = OwnersPayload.safeParse(payload);
  if (!read.success) return null;
  const { repository, organization, installation } = read.data;
  return repository?.full_name.split("/")[0] ?? organization?.login ?? installation?.account?.login ?? null;
}

type Reader = (payload: unknown, action: string | null, headers: DeliveryHeaders) => ReadDelivery;

/** A reader of one event: for the actions given (null: the event has none that matter), by one schema. */
function reader<Action extends string, Schema extends z.ZodType>(
  eventName: string,
  actions: readonly Action[] | null,
  schema: Schema,
  project: (fields: z.infer<Schema>, action: Action, headers: DeliveryHeaders) => GitHubEvent,
): [string, Reader] {
  return [
    eventName,
    (payload, action, headers) => {
      const known = actions === null ? ("" as Action) : actions.find((name) => name === action);
      if (known === undefined)
        return { kind: "unknown", reason: `no run is about ${eventName}.${action ?? "(no action)"}` };
      const read = schema.safeParse(payload);
      return read.success
        ? { kind: "read", event: project(read.data, known, headers) }
        : malformed(eventName, read.error);
    },
  ];
}

function setUp(eventName: string): [string, Reader] {
  return [
    eventName,
    (_payload, action) => ({
      kind: "read",
      event: { name: "set-up", what: action === null ? eventName : `${eventName}.${action.slice(0, 100)}` },
    }),
  ];
}

/** Whoever signs for one owner cannot have another's repositories forgotten. */
function repositoriesGone(eventName: string, goneBy: string, other: Reader = setUp(eventName)[1]): [string, Reader] {
  return [
    eventName,
    (payload, action, headers) => {
      if (action !== goneBy) return other(payload, action, headers);
      const read = RepositoriesGonePayload.safeParse(payload);
      if (!read.success) return malformed(eventName, read.error);
      const { repositories, sender } = read.data;
      const owner = ownerOf(payload)?.toLowerCase();
      const gone = repositories.filter((name) => name.toLowerCase().split("/", 1)[0] === owner);
      const [repository] = gone;
      if (repository === undefined) return other(payload, action, headers);
      const { guid, receivedAt: at } = headers;
      return { kind: "read", event: { guid, sender, at, repository, name: "repositories-gone", repositories: gone } };
    },
  ];
}

/**
 * Who has the old name next must not find what we know of this one. Whose the old name was, the signature has to tell. What is known goes
 * along with its owner, and not to another one.
 */
function repositoryMoved(payload: unknown, action: string | null, { guid, receivedAt }: DeliveryHeaders): ReadDelivery {
  const unknown = { kind: "unknown", reason: `no run is about repository.${action ?? "(no action)"}` } as const;
  if (action !== "renamed" && action !== "transferred") return unknown;
  const read = RepositoryMovedPayload.safeParse(payload);
  if (!read.success) return malformed("repository", read.error);
  const { sender, was, now, at: changedAt } = read.data;
  if (was === null) return unknown;
  const at = changedAt ?? receivedAt;
  const owners = [was, now].map((name) => name.toLowerCase().split("/", 1)[0]);
  if (action === "renamed" && owners[0] === owners[1])
    return { kind: "read", event: { guid, sender, at, repository: now, name: "renamed", from: was, to: now } };
  return { kind: "read", event: { guid, sender, at, repository: was, name: "repositories-gone", repositories: [was] } };
}

function ownerRenamed(payload: unknown, action: string | null, headers: DeliveryHeaders): ReadDelivery {
  const other = setUp("installation_target")[1];
  if (action !== "renamed") return other(payload, action, headers);
  const read = OwnerRenamedPayload.safeParse(payload);
  if (!read.success) return malformed("installation_target", read.error);
  const { sender, account, changes } = read.data;
  const [from, to] = [changes.login.from, account.login];
  // A change of case alone changes no name.
  if (from.toLowerCase() === to.toLowerCase()) return other(payload, action, headers);
  const { guid, receivedAt: at } = headers;
  return { kind: "read", event: { guid, sender, at, repository: to, name: "renamed", from, to } };
}

const readers = new Map<string, Reader>([
  reader("issues", ISSUE_ACTIONS, IssuesPayload, (fields, action, headers) => ({
    ...common(fields, headers, fields.issue.updated_at),
    name: "issue",
    action,
    issue: eventIssue(fields.repository.full_name, fields.issue, headers),
    label: fields.label,
    assignee: fields.assignee,
  })),
  // An edited comment is never a command: who edited it need not be who wrote it.
  reader("issue_comment", ["created"], CommentPayload, (fields, _action, headers) => ({
    ...common(fields, headers, fields.comment.created_at),
    name: "comment",
    issue: eventIssue(fields.repository.full_name, fields.issue, headers),
    commentId: fields.comment.id,
    body: fields.comment.body,
  })),
  reader("pull_request", PULL_REQUEST_ACTIONS, PullRequestPayload, (fields, action, headers) => ({
    ...common(fields, headers, fields.pull_request.updated_at),
    name: "pull-request",
    action,
    pullRequest: eventPullRequest(fields.pull_request),
  })),
  reader("pull_request_review", ["submitted", "dismissed"], ReviewPayload, (fields, action, headers) => ({
    // A review keeps the time of its submission when it is dismissed later.
    ...common(fields, headers, action === "submitted" ? fields.review.submitted_at : fields.pull_request.updated_at),
    name: "review",
    pullRequest: eventPullRequest(fields.pull_request),
    review: {
      state: action === "dismissed" ? action : fields.review.state.toLowerCase(),
      author: fields.review.user,
      sha: fields.review.commit_id,
      text: fields.review.body,
    },
  })),
  reader("check_suite", ["completed"], CheckSuitePayload, (fields, _action, headers) => ({
    ...common(fields, headers, fields.check_suite.updated_at),
    name: "checks",
    sha: fields.check_suite.head_sha,
    branches: fields.check_suite.head_branch === null ? [] : [fields.check_suite.head_branch],
    settled: true,
  })),
  reader("check_run", ["completed"], CheckRunPayload, (fields, _action, headers) => {
    const branch = fields.check_run.check_suite?.head_branch ?? null;
    return {
      ...common(fields, headers, fields.check_run.completed_at),
      name: "checks",
      sha: fields.check_run.head_sha,
      branches: branch === null ? [] : [branch],
      settled: true,
    };
  }),
  reader("status", null, StatusPayload, (fields, _action, headers) => ({
    ...common(fields, headers, fields.updated_at),
    name: "checks",
    sha: fields.sha,
    branches: (fields.branches ?? []).map((branch) => branch.name),
    settled: fields.state !== "pending",
  })),
  setUp("ping"),
  repositoriesGone("installation", "deleted"),
  repositoriesGone("installation_repositories", "removed"),
  repositoriesGone("repository", "deleted", repositoryMoved),
  ["installation_target", ownerRenamed],
]);

function common(
  fields: { repository: { full_name: string }; sender: Actor | null },
  headers: DeliveryHeaders,
  at: string | null,
): { guid: string; sender: Actor | null; at: string; repository: RepositoryName } {
  return {
    guid: headers.guid,
    sender: fields.sender,
    at: at ?? headers.receivedAt,
    repository: fields.repository.full_name,
  };
}

function eventIssue(repository: RepositoryName, issue: IssueFields, headers: DeliveryHeaders): EventIssue {
  return {
    snapshot: {
      repository,
      number: issue.number,
      title: issue.title,
      body: issue.body,
      author: issue.user?.login ?? null,
      labels: issue.labels,
      url: issue.html_url,
      updatedAt: issue.updated_at ?? headers.receivedAt,
    },
    open: issue.state !== "closed",
    isPullRequest: issue.pull_request !== undefined && issue.pull_request !== null,
  };
}

function eventPullRequest(fields: PullRequestFields): EventPullRequest {
  return {
    number: fields.number,
    headRef: fields.head.ref,
    headSha: fields.head.sha,
    headRepository: fields.head.repo?.full_name ?? null,
    merged: fields.merged === true,
    // Before a merge GitHub puts the sha of a trial merge here.
    mergeSha: fields.merged === true ? fields.merge_commit_sha : null,
  };
}

function malformed(eventName: string, error: z.ZodError): ReadDelivery {
  const problems = error.issues.slice(0, 5).map((issue) => `${issue.path.join(".") || "payload"}: ${issue.message}`);
  return { kind: "malformed", reason: `${eventName} payload: ${problems.join("; ")}` };
}
