/** What a webhook delivery means for a run: a trigger, news for it, or nothing, with the reason. Pure. */
import type { Actor, Delivery, Intent, IssueEvent, TriggerKind } from "./events.ts";
import { type IssueRun, MARKER_PREFIX, runOfBranch, sameRepository } from "./ids.ts";
import type { EventIssue, EventPullRequest, EventReview, GitHubEvent, RunEvent } from "./read-delivery.ts";
import type { Triggers } from "./settings.ts";
import { readSlashCommand } from "./slash-command.ts";

export * from "./read-delivery.ts";

export interface RoutingRules {
  triggers: Triggers;
  /** Our account on GitHub; null when it is not known, or is an App, which cannot be assigned. */
  ourLogin: string | null;
}

export type Routing = { kind: "accept"; delivery: Delivery } | { kind: "ignore"; reason: string };

/**
 * Facts (a push, a closed issue, a check) count whoever made them, bots too: an approval must not outlive a push because
 * a bot made it. Triggers, commands and reviews count only from people and from bots that are allowed by id.
 */
export function routeDelivery(event: GitHubEvent, rules: RoutingRules): Routing {
  if (event.name === "set-up") return ignore(`${event.what} is about the set-up, not about an issue`);
  const decided = route(event, rules);
  if ("reason" in decided) return { kind: "ignore", reason: decided.reason };
  const { guid, repository, sender, at } = event;
  return { kind: "accept", delivery: { guid, repository, sender, at, intent: decided } };
}

type Decision = Intent | { reason: string };
type Of<Name extends RunEvent["name"]> = Extract<RunEvent, { name: Name }>;

function route(event: RunEvent, rules: RoutingRules): Decision {
  switch (event.name) {
    case "issue":
      return event.issue.isPullRequest ? { reason: "it is a pull request, not an issue" } : routeIssue(event, rules);
    case "comment":
      return routeComment(event, rules.triggers);
    case "pull-request":
      return routePullRequest(event);
    case "review":
      return routeReview(event, rules.triggers);
    case "checks":
      return routeChecks(event);
    case "repositories-gone":
      return { kind: "forget", repositories: event.repositories };
    case "renamed":
      return { kind: "rename", from: event.from, to: event.to };
  }
}

function routeIssue(event: Of<"issue">, { triggers, ourLogin }: RoutingRules): Decision {
  const { action, issue, label, sender, at } = event;
  const isTriggerLabel = (name: string) => triggers.label !== null && sameLabel(name, triggers.label);
  const changed = (change: Extract<IssueEvent, { kind: "issue-changed" }>["change"]): Intent => ({
    kind: "signal",
    issue: issue.snapshot.number,
    event: { kind: "issue-changed", change, by: sender?.login ?? null, at },
  });
  const start = (trigger: TriggerKind) => startRun(issue, trigger, null, sender, triggers);

  switch (action) {
    case "opened":
      if (triggers.every_new_issue || issue.snapshot.labels.some(isTriggerLabel)) return start("opened");
      return { reason: `a new issue starts a run only with the label ${triggers.label ?? "(none is set)"}` };
    case "labeled":
      if (label !== null && isTriggerLabel(label)) return start("labeled");
      return { reason: `the label ${label ?? "(unnamed)"} is not the trigger ${triggers.label ?? "(none is set)"}` };
    case "unlabeled":
      if (label !== null && isTriggerLabel(label)) return changed("unlabeled");
      return { reason: `the label ${label ?? "(unnamed)"} is not the trigger ${triggers.label ?? "(none is set)"}` };
    case "assigned":
      if (!triggers.assigned) return { reason: "assigning starts no run here (triggers.assigned is false)" };
      if (ourLogin === null) return { reason: "our own account is not known or is an App, which cannot be assigned" };
      if (event.assignee?.login.toLowerCase() === ourLogin.toLowerCase()) return start("assigned");
      return { reason: `the issue was not assigned to @${ourLogin}` };
    case "edited":
    case "closed":
    case "reopened":
    case "transferred":
    case "deleted":
      return changed(action);
  }
}

function routeComment(event: Of<"comment">, triggers: Triggers): Decision {
  const { issue, body, commentId, sender, at } = event;
  if (body.includes(MARKER_PREFIX)) return { reason: "the comment is our own" };
  const read = readSlashCommand(body);
  if (read.kind === "none") return { reason: "the comment is no command" };
  if (read.kind === "refused") return { reason: `the comment is no command that we know: ${read.reason}` };

  const authority = mayAsk(sender, triggers);
  if (!authority.ok) return { reason: authority.reason };
  const { number } = issue.snapshot;
  if (read.command.verb === "run" && !issue.isPullRequest) {
    if (!triggers.comment) return { reason: "comments start no run here (triggers.comment is false)" };
    return startRun(issue, "comment", commentId, sender, triggers);
  }
  // About the repository, and not about the run: it needs none.
  if (read.command.verb === "remember") return { kind: "teach", issue: number, text: read.command.text, commentId };
  const command: IssueEvent = { kind: "command", command: read.command, by: authority.login, at, commentId };
  return issue.isPullRequest
    ? { kind: "signal-by-pull-request", pullRequest: number, event: command }
    : { kind: "signal", issue: number, event: command };
}

function routePullRequest(event: Of<"pull-request">): Decision {
  const { action, pullRequest, at } = event;
  const ours = ourPullRequest(pullRequest, event.repository);
  if (!ours.ok) return { reason: ours.reason };
  const { number, headSha: sha, merged, mergeSha } = pullRequest;
  const by = event.sender?.login ?? null;
  const signal = (news: IssueEvent): Intent => signalTo(ours.run, news);
  switch (action) {
    case "synchronize":
      return signal({ kind: "head-pushed", sha, by, at });
    case "closed":
      return signal({ kind: "pull-request-closed", pullRequest: number, merged, mergeSha, by, at });
    case "reopened":
      return signal({ kind: "pull-request-reopened", pullRequest: number, sha, by, at });
    case "dequeued":
      // Taken out of the merge queue, merged or not: whoever waits for it looks how it went.
      return signal({ kind: "checks-changed", sha, at });
  }
}

function routeReview(event: Of<"review">, triggers: Triggers): Decision {
  const ours = ourPullRequest(event.pullRequest, event.repository);
  if (!ours.ok) return { reason: ours.reason };
  const { review, at } = event;
  const state = reviewState(review.state);
  if (state === null)
    return { reason: `a review that says ${review.state.slice(0, 50)} neither approves nor requests changes` };
  if (review.sha === null) return { reason: "the review names no commit, so nothing can be bound to it" };
  if (review.text.includes(MARKER_PREFIX)) return { reason: "the review is our own" };

  const judged = state === "dismissed" ? dismissed(review) : mayAsk(review.author, triggers);
  if (!judged.ok) return { reason: judged.reason };
  return signalTo(ours.run, { kind: "review", state, by: judged.login, sha: review.sha, text: review.text, at });
}

type ReviewState = Extract<IssueEvent, { kind: "review" }>["state"];

/** null: a review that only comments. */
function reviewState(state: string): ReviewState | null {
  switch (state) {
    case "approved":
    case "dismissed":
      return state;
    case "changes_requested":
      return "changes-requested";
    default:
      return null;
  }
}

/** Taking an approval back needs no authority: doing less is always allowed. */
function dismissed(review: EventReview): Authority {
  return { ok: true, login: review.author?.login ?? "ghost" };
}

function routeChecks(event: Of<"checks">): Decision {
  if (!event.settled) return { reason: "the commit status is still pending" };
  const run = event.branches.map(runOfBranch).find((found) => found !== null) ?? null;
  if (run === null) return { reason: `no branch of ours holds commit ${event.sha}` };
  return signalTo(run, { kind: "checks-changed", sha: event.sha, at: event.at });
}

function signalTo({ issue, fork }: IssueRun, event: IssueEvent): Intent {
  return { kind: "signal", issue, ...(fork === null ? {} : { fork }), event };
}

function startRun(
  issue: EventIssue,
  trigger: TriggerKind,
  reactTo: number | null,
  sender: Actor | null,
  triggers: Triggers,
): Decision {
  if (!issue.open) return { reason: "the issue is closed; reopen it before starting a run" };
  const authority = mayAsk(sender, triggers);
  if (!authority.ok) return { reason: authority.reason };
  return { kind: "start", issue: issue.snapshot.number, snapshot: issue.snapshot, trigger, reactTo };
}

type Authority = { ok: true; login: string } | { ok: false; reason: string };

/** Whether somebody may ask at all. Whether they have the permission is asked of GitHub later. */
function mayAsk(actor: Actor | null, triggers: Triggers): Authority {
  if (actor === null) return { ok: false, reason: "nobody is named as its author (a deleted account)" };
  if (actor.isBot && !triggers.allowed_bots.includes(actor.id)) {
    const remedy = `Add ${actor.id} to triggers.allowed_bots to listen to it.`;
    return { ok: false, reason: `@${actor.login} is a bot. ${remedy}` };
  }
  return { ok: true, login: actor.login };
}

function ourPullRequest(
  pullRequest: EventPullRequest,
  repository: string,
): { ok: true; run: IssueRun } | { ok: false; reason: string } {
  const { number, headRef, headRepository } = pullRequest;
  if (headRepository === null)
    return { ok: false, reason: `the head repository of pull request #${number} was deleted` };
  if (!sameRepository(headRepository, repository)) {
    return { ok: false, reason: `pull request #${number} comes from the fork ${headRepository}` };
  }
  const run = runOfBranch(headRef);
  return run === null
    ? { ok: false, reason: `pull request #${number} stands on ${headRef.slice(0, 100)}, which is no branch of ours` }
    : { ok: true, run };
}

function sameLabel(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function ignore(reason: string): Routing {
  return { kind: "ignore", reason };
}
