import { describe, expect, it } from "vitest";
import type { ChangedIssue, DeliveryAttempt, IssueTrigger } from "../../domain/news.ts";
import { missedDeliveries } from "../../domain/news.ts";
import { Triggers } from "../../domain/settings.ts";
import { mayTrigger, triggersInComments, triggersOfIssue } from "../../domain/sweep.ts";
import { type ReconcileReport, sweepSince, sweepSinceOf } from "../../domain/upkeep.ts";

const SINCE = "2026-11-20T12:00:00.000Z";
const at = (minutes: number) => new Date(Date.parse(SINCE) + minutes * 60_000).toISOString();
const mara = { login: "mara", id: 1, isBot: false };
const us = { login: "us", id: 2, isBot: false };
const rules = (triggers: object = {}) => ({ triggers: Triggers.parse(triggers), ourLogin: "us" });

function issue(over: Partial<ChangedIssue> = {}): ChangedIssue {
  return {
    id: 70,
    repository: "o/r",
    number: 7,
    title: "T",
    body: "",
    author: "rita",
    url: "",
    updatedAt: at(1),
    labels: [],
    assignees: [],
    isPullRequest: false,
    open: true,
    openedBy: mara,
    createdAt: at(-60),
    ...over,
  };
}

const labeled = (id: number, minutes: number, label = "mergewright", by: IssueTrigger["by"] = mara): IssueTrigger => ({
  id,
  by,
  at: at(minutes),
  what: { kind: "labeled", label },
});
const assigned = (id: number, minutes: number, by: IssueTrigger["by"]): IssueTrigger => ({
  id,
  by,
  at: at(minutes),
  what: { kind: "assigned", assignee: us },
});

describe("an issue that changed", () => {
  it.each([
    ["the label, added since", { labels: ["Mergewright"] }, [labeled(1, 5)], {}, ["sweep-event-1"]],
    ["the label, added before", { labels: ["mergewright"] }, [labeled(1, -5)], {}, []],
    ["the last of two labellings", { labels: ["mergewright"] }, [labeled(1, 5), labeled(2, 9)], {}, ["sweep-event-2"]],
    ["a label that was taken away again", { labels: [] }, [labeled(1, 5)], {}, []],
    ["another label", { labels: ["bug"] }, [labeled(1, 5, "bug")], {}, []],
    ["a closed issue", { labels: ["mergewright"], open: false }, [labeled(1, 5)], {}, []],
    ["a bot's label", { labels: ["mergewright"] }, [labeled(1, 5, "mergewright", { ...mara, isBot: true })], {}, []],
    ["our account, assigned by somebody", { assignees: ["us"] }, [assigned(3, 5, mara)], {}, ["sweep-event-3"]],
    ["our account, assigned by ourselves", { assignees: ["us"] }, [assigned(3, 5, us)], {}, []],
    ["our account, where that starts nothing", { assignees: ["us"] }, [assigned(3, 5, mara)], { assigned: false }, []],
    ["a new issue, where each starts", { createdAt: at(2) }, [], { every_new_issue: true }, ["sweep-opened-70"]],
    ["an old issue, where each new one starts", {}, [], { every_new_issue: true }, []],
  ])("with %s gives the deliveries that should have come", (_, over, history, triggers, guids) => {
    const found = triggersOfIssue(issue(over), history, rules(triggers), SINCE);
    expect(found.map(({ guid }) => guid)).toEqual(guids);
    for (const delivery of found)
      expect(delivery).toMatchObject({ repository: "o/r", intent: { kind: "start", issue: 7 } });
  });

  it("is asked about only when it can hold a trigger", () => {
    const may = (over: Partial<ChangedIssue>, triggers = {}) => mayTrigger(issue(over), rules(triggers));
    expect(may({})).toBe(false);
    expect(may({ labels: ["mergewright"] })).toBe(true);
    expect(may({ assignees: ["Us"] })).toBe(true);
    expect(may({}, { every_new_issue: true })).toBe(true);
    expect(may({ labels: ["mergewright"], isPullRequest: true })).toBe(false);
  });
});

it("of comments, only those that start a run become deliveries", () => {
  const comment = (id: number, body: string, number = 7) => ({ id, number, by: mara, body, at: at(3) });
  const comments = [
    comment(1, "/mergewright run"),
    comment(2, "/mergewright approve"),
    comment(3, "run it"),
    comment(4, "/mergewright run", 8),
  ];
  const found = triggersInComments(comments, [issue()], rules(), SINCE);
  expect(found.map(({ guid }) => guid)).toEqual(["sweep-comment-1"]);
});

it("a delivery is missed when no attempt at it was answered with 2xx; the oldest comes first", () => {
  const attempt = (id: number, guid: string, status: number): DeliveryAttempt => ({
    id,
    guid,
    status,
    event: "issues",
    action: "labeled",
    at: at(id),
  });
  const attempts = [
    attempt(6, "c", 202),
    attempt(5, "b", 500),
    attempt(4, "c", 502),
    attempt(3, "b", 502),
    attempt(2, "a", 401),
  ];
  expect(missedDeliveries(attempts).map(({ id }) => id)).toEqual([2, 5]);
});

it("a sweep looks three days back at first, then from the last one on with a quarter of an hour of overlap", () => {
  expect(sweepSince(SINCE, null)).toBe("2026-11-17T12:00:00.000Z");
  expect(sweepSince(SINCE, { until: at(-60) } as ReconcileReport)).toBe(at(-75));
  expect(sweepSince(SINCE, { until: "never" } as ReconcileReport)).toBe("2026-11-17T12:00:00.000Z");
});

it("who could not be swept is looked at from the same moment on, and the others from the last sweep on", () => {
  const last = {
    until: at(0),
    failed: [{ account: "mallory/any", reason: "401", since: at(-600) }],
  } as ReconcileReport;
  expect(sweepSinceOf("mallory/any", at(-15), last)).toBe(at(-600));
  expect(sweepSinceOf("any/any", at(-15), last)).toBe(at(-15));
  expect(sweepSinceOf("any/any", at(-15), { until: at(0) } as ReconcileReport)).toBe(at(-15));
  expect(sweepSinceOf("any/any", at(-15), null)).toBe(at(-15));
});
