import { describe, expect, test } from "vitest";
import { routeDelivery, type RoutingRules } from "../../domain/delivery.ts";
import { Triggers } from "../../domain/settings.ts";
import { ada, bot, comment, forked, issue, labelled, pullRequest, read, review, sha } from "./payloads.ts";

const rules: RoutingRules = { triggers: Triggers.parse({}), ourLogin: "wright" };

function route(name: string, payload: object, with_: Partial<RoutingRules> = {}) {
  const routed = routeDelivery(read(name, payload), { ...rules, ...with_ });
  return routed.kind === "accept" ? routed.delivery.intent : routed.reason;
}

const triggers = (settings: Partial<Triggers>) => ({ triggers: { ...rules.triggers, ...settings } });

describe("a trigger starts a run", () => {
  test.each([
    ["an issue opened with the label", "issues", { action: "opened", issue: labelled }, {}, "opened"],
    [
      "every new issue, where that is set",
      "issues",
      { action: "opened", issue },
      triggers({ every_new_issue: true }),
      "opened",
    ],
    [
      "the label added",
      "issues",
      { action: "labeled", issue: labelled, label: { name: "mergewright" } },
      {},
      "labeled",
    ],
    [
      "another label that is set as the trigger",
      "issues",
      { action: "labeled", issue, label: { name: "Fix Me" } },
      triggers({ label: "fix me" }),
      "labeled",
    ],
    [
      "our account assigned",
      "issues",
      { action: "assigned", issue, assignee: { login: "Wright", id: 1 } },
      {},
      "assigned",
    ],
    ["the comment /mergewright run", "issue_comment", { action: "created", issue, comment }, {}, "comment"],
    [
      "a bot that is allowed by id",
      "issues",
      { action: "opened", issue: labelled, sender: bot },
      triggers({ allowed_bots: [99] }),
      "opened",
    ],
  ])("%s", (_what, name, payload, settings, trigger) => {
    expect(route(name, payload, settings)).toMatchObject({ kind: "start", issue: 5, trigger });
  });

  test("with the issue as it was, and the comment to react to", () => {
    expect(routeDelivery(read("issue_comment", { action: "created", issue, comment }), rules)).toEqual({
      kind: "accept",
      delivery: {
        guid: "g-1",
        repository: "Acme/Shop",
        sender: { login: "ada", id: 7, isBot: false },
        at: "2026-01-01T00:00:00.000Z",
        intent: {
          kind: "start",
          issue: 5,
          trigger: "comment",
          reactTo: 77,
          snapshot: {
            repository: "Acme/Shop",
            number: 5,
            title: "Total is wrong",
            body: "It is 3, not 2.",
            author: "ada",
            labels: ["bug"],
            url: "https://github.com/Acme/Shop/issues/5",
            updatedAt: "2026-01-01T00:00:00.000Z",
          },
        },
      },
    });
  });
});

describe("what starts no run is ignored with the reason", () => {
  test.each([
    ["an issue without the label", "issues", { action: "opened", issue }, {}, /only with the label mergewright/],
    ["another label", "issues", { action: "labeled", issue, label: { name: "bug" } }, {}, /bug is not the trigger/],
    [
      "no trigger label set",
      "issues",
      { action: "labeled", issue, label: { name: "x" } },
      triggers({ label: null }),
      /none is set/,
    ],
    ["somebody else assigned", "issues", { action: "assigned", issue, assignee: ada }, {}, /not assigned to @wright/],
    ["assigned to nobody", "issues", { action: "assigned", issue, assignee: null }, {}, /not assigned/],
    ["assigning an App", "issues", { action: "assigned", issue, assignee: ada }, { ourLogin: null }, /App/],
    [
      "assigning switched off",
      "issues",
      { action: "assigned", issue, assignee: { login: "wright", id: 1 } },
      triggers({ assigned: false }),
      /triggers.assigned/,
    ],
    [
      "comments switched off",
      "issue_comment",
      { action: "created", issue, comment },
      triggers({ comment: false }),
      /triggers.comment/,
    ],
    [
      "a closed issue",
      "issues",
      { action: "labeled", issue: { ...labelled, state: "closed" }, label: { name: "mergewright" } },
      {},
      /closed/,
    ],
    ["a deleted sender", "issues", { action: "opened", issue: labelled, sender: null }, {}, /deleted account/],
    ["a bot", "issues", { action: "opened", issue: labelled, sender: bot }, {}, /@helper\[bot\] is a bot/],
    [
      "a bot by its name only",
      "issues",
      { action: "opened", issue: labelled, sender: { login: "x[bot]", id: 3, type: "User" } },
      {},
      /is a bot/,
    ],
    [
      "a bot that borrows an allowed id's name",
      "issues",
      { action: "opened", issue: labelled, sender: { ...bot, id: 98 } },
      triggers({ allowed_bots: [99] }),
      /is a bot/,
    ],
    [
      "an ordinary comment",
      "issue_comment",
      { action: "created", issue, comment: { ...comment, body: "Me too" } },
      {},
      /no command/,
    ],
    [
      "our own comment",
      "issue_comment",
      {
        action: "created",
        issue,
        comment: { ...comment, body: "/mergewright run\n<!-- mergewright:progress run=1 -->" },
      },
      {},
      /our own/,
    ],
    [
      "an unknown verb",
      "issue_comment",
      { action: "created", issue, comment: { ...comment, body: "/mergewright merge" } },
      {},
      /not a verb/,
    ],
    ["a bot's command", "issue_comment", { action: "created", issue, comment, sender: bot }, {}, /is a bot/],
    [
      "nobody's command",
      "issue_comment",
      { action: "created", issue, comment: { ...comment, body: "/mergewright approve" }, sender: null },
      {},
      /deleted account/,
    ],
  ])("%s", (_what, name, payload, settings, reason) => {
    expect(route(name, payload, settings)).toMatch(reason);
  });
});

describe("news reaches the run of its issue", () => {
  const by = "ada";
  const at = "2026-01-01T00:00:00.000Z";
  const onPull = { ...issue, number: 8, pull_request: { url: "x" } };
  test.each([
    [
      "a command on the issue",
      "issue_comment",
      { action: "created", issue, comment: { ...comment, body: "/mergewright approve" } },
      { kind: "signal", issue: 5, event: { kind: "command", command: { verb: "approve" }, by, at, commentId: 77 } },
    ],
    [
      "a command on a pull request, whose branch is asked of GitHub",
      "issue_comment",
      { action: "created", issue: onPull, comment: { ...comment, body: "/mergewright revise x" } },
      {
        kind: "signal-by-pull-request",
        pullRequest: 8,
        event: { kind: "command", command: { verb: "revise", text: "x" }, by, at, commentId: 77 },
      },
    ],
    [
      "an approving review",
      "pull_request_review",
      { action: "submitted", pull_request: pullRequest, review },
      { kind: "signal", issue: 5, event: { kind: "review", state: "approved", by, sha, text: "Nice", at } },
    ],
    [
      "a review that requests changes",
      "pull_request_review",
      { action: "submitted", pull_request: pullRequest, review: { ...review, state: "CHANGES_REQUESTED", body: null } },
      { kind: "signal", issue: 5, event: { kind: "review", state: "changes-requested", by, sha, text: "", at } },
    ],
    [
      "a dismissed review, even of a deleted account",
      "pull_request_review",
      { action: "dismissed", pull_request: pullRequest, review: { ...review, user: null } },
      { kind: "signal", issue: 5, event: { kind: "review", state: "dismissed", by: "ghost", sha, text: "Nice", at } },
    ],
    [
      "a push to our branch, also by a bot",
      "pull_request",
      { action: "synchronize", pull_request: pullRequest, sender: bot },
      { kind: "signal", issue: 5, event: { kind: "head-pushed", sha, by: "helper[bot]", at } },
    ],
    [
      "a review of the pull request of a run that was forked from the issue's",
      "pull_request_review",
      { action: "submitted", pull_request: forked, review },
      { kind: "signal", issue: 5, fork: 2, event: { kind: "review", state: "approved", by, sha, text: "Nice", at } },
    ],
    [
      "a push to the branch of such a run",
      "pull_request",
      { action: "synchronize", pull_request: forked },
      { kind: "signal", issue: 5, fork: 2, event: { kind: "head-pushed", sha, by, at } },
    ],
    [
      "a commit status there",
      "status",
      { sha, state: "failure", branches: [{ name: "mergewright/issue-5-fork-2" }], updated_at: at },
      { kind: "signal", issue: 5, fork: 2, event: { kind: "checks-changed", sha, at } },
    ],
    [
      "our pull request closed",
      "pull_request",
      { action: "closed", pull_request: { ...pullRequest, merge_commit_sha: sha } },
      {
        kind: "signal",
        issue: 5,
        event: { kind: "pull-request-closed", pullRequest: 8, merged: false, mergeSha: null, by, at },
      },
    ],
    [
      "our pull request merged",
      "pull_request",
      { action: "closed", pull_request: { ...pullRequest, merged: true, merge_commit_sha: sha }, sender: null },
      {
        kind: "signal",
        issue: 5,
        event: { kind: "pull-request-closed", pullRequest: 8, merged: true, mergeSha: sha, by: null, at },
      },
    ],
    [
      "our pull request reopened",
      "pull_request",
      { action: "reopened", pull_request: pullRequest },
      { kind: "signal", issue: 5, event: { kind: "pull-request-reopened", pullRequest: 8, sha, by, at } },
    ],
    [
      "a check suite",
      "check_suite",
      {
        action: "completed",
        check_suite: { head_branch: "mergewright/issue-5", head_sha: sha, updated_at: "2026-01-01T01:00:00+01:00" },
      },
      { kind: "signal", issue: 5, event: { kind: "checks-changed", sha, at } },
    ],
    [
      "a check run",
      "check_run",
      {
        action: "completed",
        check_run: { head_sha: sha, completed_at: at, check_suite: { head_branch: "mergewright/issue-5" } },
        sender: bot,
      },
      { kind: "signal", issue: 5, event: { kind: "checks-changed", sha, at } },
    ],
    [
      "a commit status",
      "status",
      { sha, state: "failure", branches: [{ name: "main" }, { name: "mergewright/issue-5" }], updated_at: at },
      { kind: "signal", issue: 5, event: { kind: "checks-changed", sha, at } },
    ],
    [
      "the trigger label removed",
      "issues",
      { action: "unlabeled", issue, label: { name: "mergewright" } },
      { kind: "signal", issue: 5, event: { kind: "issue-changed", change: "unlabeled", by, at } },
    ],
    ...(["edited", "closed", "reopened", "transferred", "deleted"] as const).map(
      (change): [string, string, object, object] => [
        `the issue ${change}`,
        "issues",
        { action: change, issue },
        { kind: "signal", issue: 5, event: { kind: "issue-changed", change, by, at } },
      ],
    ),
  ])("%s", (_what, name, payload, intent) => {
    expect(route(name, payload)).toEqual(intent);
  });
});

describe("news that is no run's is ignored with the reason", () => {
  const withHead = (head: object) => ({ ...pullRequest, head: { ...pullRequest.head, ...head } });
  test.each([
    [
      "a fork",
      "pull_request",
      { action: "synchronize", pull_request: withHead({ repo: { full_name: "eve/Shop" } }) },
      /from the fork eve\/Shop/,
    ],
    [
      "a deleted head repository",
      "pull_request",
      { action: "closed", pull_request: withHead({ repo: null }) },
      /was deleted/,
    ],
    [
      "somebody else's branch",
      "pull_request",
      { action: "closed", pull_request: withHead({ ref: "feature" }) },
      /feature, which is no branch of ours/,
    ],
    [
      "a review of a fork",
      "pull_request_review",
      { action: "submitted", review, pull_request: withHead({ repo: { full_name: "eve/Shop" } }) },
      /fork/,
    ],
    [
      "a review that only comments",
      "pull_request_review",
      { action: "submitted", review: { ...review, state: "commented" }, pull_request: pullRequest },
      /neither approves/,
    ],
    [
      "a review without a commit",
      "pull_request_review",
      { action: "submitted", review: { ...review, commit_id: null }, pull_request: pullRequest },
      /names no commit/,
    ],
    [
      "a bot's review",
      "pull_request_review",
      { action: "submitted", review: { ...review, user: bot }, pull_request: pullRequest },
      /is a bot/,
    ],
    [
      "a deleted account's review",
      "pull_request_review",
      { action: "submitted", review: { ...review, user: null }, pull_request: pullRequest },
      /deleted account/,
    ],
    [
      "another branch's checks",
      "check_suite",
      { action: "completed", check_suite: { head_branch: null, head_sha: sha } },
      /no branch of ours/,
    ],
    ["a pending status", "status", { sha, state: "pending", branches: [{ name: "mergewright/issue-5" }] }, /pending/],
    ["an unrelated label", "issues", { action: "unlabeled", issue, label: { name: "bug" } }, /not the trigger/],
    ["a ping", "ping", { zen: "x", repository: undefined }, /set-up/],
    [
      "a suspended installation",
      "installation",
      { action: "suspend", installation: {}, repository: undefined },
      /installation.suspend/,
    ],
  ])("%s", (_what, name, payload, reason) => {
    expect(route(name, payload)).toMatch(reason);
  });
});
