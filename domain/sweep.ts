/** What was missed, as the deliveries that should have come: made from what GitHub tells now, by the rules of webhooks. Pure. */
import { routeDelivery, type RoutingRules } from "./delivery.ts";
import type { Delivery } from "./events.ts";
import type { ChangedIssue, IssueTrigger, NewComment } from "./news.ts";
import type { EventIssue, RunEvent } from "./read-delivery.ts";

/** Whether the issue as it is now can hold a trigger at all: else its events need not be read. */
export function mayTrigger(issue: ChangedIssue, { triggers, ourLogin }: RoutingRules): boolean {
  if (!issue.open || issue.isPullRequest) return false;
  const labelled = issue.labels.some((label) => same(label, triggers.label));
  const assigned = triggers.assigned && issue.assignees.some((login) => same(login, ourLogin));
  return labelled || assigned || triggers.every_new_issue;
}

/**
 * The triggers that hold on this issue and are newer than `since`: the last time that somebody gave it our label or assigned us, and
 * its opening where that is one. Whether they may start a run, and whether it has one, is asked where deliveries are let in.
 */
export function triggersOfIssue(
  issue: ChangedIssue,
  history: readonly IssueTrigger[],
  rules: RoutingRules,
  since: string,
): Delivery[] {
  const { triggers, ourLogin } = rules;
  const labels = issue.labels.some((label) => same(label, triggers.label));
  const assigned = issue.assignees.some((login) => same(login, ourLogin));
  const last = (fits: (what: IssueTrigger["what"]) => boolean) => history.findLast(({ what }) => fits(what));
  const found = [
    labels ? last((what) => what.kind === "labeled" && same(what.label, triggers.label)) : undefined,
    assigned ? last((what) => what.kind === "assigned" && same(what.assignee.login, ourLogin)) : undefined,
  ];
  const base = { repository: issue.repository, issue: eventIssue(issue) };
  const events = found.flatMap((trigger): RunEvent[] => {
    // What we did to the issue ourselves asks nothing of us.
    if (!trigger || same(trigger.by?.login ?? null, ourLogin)) return [];
    const { id, by, at, what } = trigger;
    const label = what.kind === "labeled" ? what.label : null;
    const assignee = what.kind === "assigned" ? what.assignee : null;
    return [{ ...base, guid: `sweep-event-${id}`, name: "issue", action: what.kind, sender: by, at, label, assignee }];
  });
  if (triggers.every_new_issue) {
    const opened = { guid: `sweep-opened-${issue.id}`, sender: issue.openedBy, at: issue.createdAt };
    events.push({ ...base, ...opened, name: "issue", action: "opened", label: null, assignee: null });
  }
  return starting(events, rules, since);
}

/**
 * Comments that start a run. Other commands are for a run that is at work, and reach it when it looks again: here it would not
 * be known whether it has heard them.
 */
export function triggersInComments(
  comments: readonly NewComment[],
  issues: readonly ChangedIssue[],
  rules: RoutingRules,
  since: string,
): Delivery[] {
  const events = comments.flatMap(({ id, number, by, body, at }): RunEvent[] => {
    const issue = issues.find((each) => each.number === number);
    if (!issue) return [];
    const { repository } = issue;
    const common = { guid: `sweep-comment-${id}`, repository, sender: by, at };
    return [{ ...common, name: "comment", issue: eventIssue(issue), commentId: id, body }];
  });
  return starting(events, rules, since);
}

function starting(events: readonly RunEvent[], rules: RoutingRules, since: string): Delivery[] {
  return events.flatMap((event) => {
    if (Date.parse(event.at) < Date.parse(since)) return [];
    const routed = routeDelivery(event, rules);
    return routed.kind === "accept" && routed.delivery.intent.kind === "start" ? [routed.delivery] : [];
  });
}

function eventIssue(issue: ChangedIssue): EventIssue {
  const { repository, number, title, body, author, labels, url, updatedAt, open, isPullRequest } = issue;
  return { snapshot: { repository, number, title, body, author, labels, url, updatedAt }, open, isPullRequest };
}

function same(a: string | null, b: string | null): boolean {
  return a !== null && b !== null && a.toLowerCase() === b.toLowerCase();
}
