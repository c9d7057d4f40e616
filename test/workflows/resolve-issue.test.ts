/** The story on a real Temporal server, with everything outside played. */
import { randomUUID } from "node:crypto";
import { Client, WorkflowFailedError, type WorkflowHandle } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AccessDenied, RateLimited, SandboxUnavailable, ServiceUnavailable } from "../../domain/errors.ts";
import type { IssueEvent } from "../../domain/events.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { REPLY_NOT_STORED } from "../../domain/patience.ts";
import type { Phase, RunStatus } from "../../domain/run.ts";
import { RepositorySettings } from "../../domain/settings.ts";
import {
  githubEventSignal,
  RESOLVE_ISSUE,
  type ResolveIssueInput,
  signals,
  statusQuery,
  updates,
} from "../../workflows/messages.ts";
import { runWorker, temporalClient } from "../support/temporal.ts";
import { type Played, playActivities } from "./played-activities.ts";

let client: Client;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  client = await temporalClient();
});
afterAll(async () => {
  for (const stop of stops) await stop();
  await client.connection.close();
});

async function start(
  settings: Record<string, unknown> = {},
  prepare: (played: Played) => void = () => undefined,
): Promise<{ played: Played; run: WorkflowHandle; status: () => Promise<RunStatus> }> {
  const played = playActivities();
  prepare(played);
  const worker = await runWorker({ activities: { ...played.activities } });
  stops.push(worker.stop);
  const repository = `o/r-${randomUUID().slice(0, 8)}`;
  const input: ResolveIssueInput = {
    repository,
    issue: 1,
    snapshot: null,
    trigger: { kind: "labeled", by: "mara", at: new Date().toISOString(), commentId: null },
    settings: { ...RepositorySettings.parse(settings), prices: {} },
    links: { page: null, webUi: null },
  };
  const run = await client.workflow.start(RESOLVE_ISSUE, {
    workflowId: issueWorkflowId(repository, 1),
    taskQueue: worker.taskQueue,
    args: [input],
  });
  return { played, run, status: () => run.query(statusQuery) };
}

async function reaches(
  status: () => Promise<RunStatus>,
  test: Phase | ((status: RunStatus) => boolean),
): Promise<RunStatus> {
  const met = typeof test === "string" ? (now: RunStatus) => now.phase === test : test;
  let last: RunStatus | undefined;
  for (let tries = 0; tries < 400; tries += 1) {
    last = await status();
    if (met(last)) return last;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never came: ${String(test)}. Last: ${JSON.stringify(last)}`);
}

const phasesOf = (status: RunStatus): Phase[] => status.phases.map(({ phase }) => phase);

describe("a run that goes well", () => {
  it("goes through its phases, is approved by a signal, and ends merged with the issue closed", async () => {
    const { played, run, status } = await start();
    const waiting = await reaches(status, "awaiting-approval");
    expect(waiting.waitingFor).toMatchObject({ kind: "approval" });
    expect(waiting.evidence).toMatchObject({ failsOnBase: true, passesOnBranch: true });
    await run.signal(signals.approveMerge, { by: "mara" });
    await expect(run.result()).resolves.toEqual({ kind: "merged", sha: "e".repeat(40) });
    const ended = await status();
    expect(phasesOf(ended)).toEqual([
      "received",
      "classifying",
      "planning",
      "working",
      "verifying",
      "opening-pull-request",
      "reviewing",
      "awaiting-approval",
      "merging",
      "merged",
    ]);
    expect(ended).toMatchObject({
      outcome: { kind: "merged" },
      category: "bug",
      waitingFor: null,
      turns: 5,
      modelCalls: 5,
    });
    expect(ended.costUsd).toBeCloseTo(0.05);
    expect(played.inputs("closeIssue")).toHaveLength(1);
    expect(played.inputs("mergePullRequest")).toMatchObject([
      { sha: "1".repeat(40), approvedBy: "mara", method: "squash" },
    ]);
    expect(played.inputs("closeSandbox").map(({ purpose }) => purpose)).toEqual(
      expect.arrayContaining(["planner", "coder", "reviewer"]),
    );
    expect(new Set(played.inputs("putComment").map(({ comment }) => comment.marker)).size).toBe(1);
  });

  it("merges without asking only when told so", async () => {
    const { played, run } = await start({ auto_merge: true, require_review: false });
    await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
    expect(played.inputs("mergePullRequest")).toMatchObject([{ approvedBy: null }]);
  });

  it("waits for approval when both auto_merge and require_review are set", async () => {
    const { run, status } = await start({ auto_merge: true });
    await reaches(status, "awaiting-approval");
    await run.executeUpdate(updates.approveMerge, { args: [{ by: "mara" }] });
    await run.result();
  });

  it("waits for the approval of its plan when asked to", async () => {
    const { run, status } = await start({ require_plan_approval: true });
    const waiting = await reaches(status, "awaiting-plan-approval");
    expect(waiting.plan).toContain("off-by-one");
    await run.signal(signals.approvePlan, { by: "mara" });
    await reaches(status, "awaiting-approval");
    await run.signal(signals.approveMerge, { by: "mara" });
    await run.result();
  });
});

describe("an approval", () => {
  it("is refused from a reader, a stranger, for another commit, or malformed; each refusal is on record", async () => {
    const { run, status } = await start();
    await reaches(status, "awaiting-approval");
    await run.signal(signals.approveMerge, {});
    await run.signal(signals.approveMerge, { by: "rita" });
    await run.signal(signals.approveMerge, { by: "mara", sha: "f".repeat(40) });
    await expect(run.executeUpdate(updates.approveMerge, { args: [{ by: "nobody" }] })).rejects.toThrow();
    const { refused, phase } = await reaches(status, (now) => now.refused.length === 4);
    expect(phase).toBe("awaiting-approval");
    expect(refused.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/`by` is missing/),
      expect.stringMatching(/@rita has read permission/),
      expect.stringMatching(/names commit f{40}/),
      expect.stringMatching(/@nobody has no permission/),
    ]);
    await run.signal(signals.approveMerge, { by: "mara", sha: "1".repeat(40) });
    await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
  });

  it("is not asked for again when the merge that was refused had been made meanwhile", async () => {
    const mergeSha = "5".repeat(40);
    const { played, run, status } = await start({}, (parts) => {
      parts.activities.mergePullRequest = async () => {
        Object.assign(parts.pullRequest, { merged: true, mergeSha, state: "closed", mergeable: null });
        return { kind: "not-mergeable", reason: "Pull Request is not mergeable" };
      };
    });
    await reaches(status, "awaiting-approval");
    await run.signal(signals.approveMerge, { by: "mara" });
    await expect(run.result()).resolves.toEqual({ kind: "merged", sha: mergeSha });
    expect(phasesOf(await status()).filter((phase) => phase === "awaiting-approval")).toHaveLength(1);
    expect(played.inputs("closeIssue")).toHaveLength(1);
  });

  it("is not asked for when somebody has merged it while its checks were waited for", async () => {
    const mergeSha = "5".repeat(40);
    const { run, status } = await start({}, (parts) => {
      parts.activities.readChecks = async () => {
        Object.assign(parts.pullRequest, { merged: true, mergeSha, state: "closed", mergeable: null });
        return { reports: [], required: [] };
      };
    });
    await expect(run.result()).resolves.toEqual({ kind: "merged", sha: mergeSha });
    expect(phasesOf(await status())).not.toContain("awaiting-approval");
  });

  it("before the run asks for it is refused", async () => {
    const { run, status } = await start({ require_plan_approval: true });
    await reaches(status, "awaiting-plan-approval");
    await run.signal(signals.approveMerge, { by: "mara" });
    const { refused } = await reaches(status, (now) => now.refused.length === 1);
    expect(refused[0]!.reason).toMatch(/not waiting for an approval/);
    await run.terminate();
  });

  it("by a review counts for the commit that was reviewed, not for another", async () => {
    const { run, status } = await start();
    await reaches(status, "awaiting-approval");
    const review = (sha: string): IssueEvent => ({
      kind: "review",
      state: "approved",
      by: "mara",
      sha,
      text: "",
      at: new Date().toISOString(),
    });
    await run.signal(githubEventSignal, review("9".repeat(40)));
    await reaches(status, (now) => now.refused.length === 1);
    await run.signal(githubEventSignal, review("1".repeat(40)));
    await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
  });

  it("is void once GitHub says that the head has moved", async () => {
    const { played, run, status } = await start({}, (parts) => {
      parts.foreignHead = "7".repeat(40);
      parts.mergeAnswers.push({ kind: "head-moved", headSha: "7".repeat(40) });
    });
    await reaches(status, "awaiting-approval");
    await run.signal(signals.approveMerge, { by: "mara" });
    const again = await reaches(status, (now) => now.phase === "awaiting-approval" && now.refused.length === 1);
    expect(again.pullRequest?.headSha).toBe("7".repeat(40));
    // It is taken in and verified like our own, and nothing is pushed over it.
    expect(played.inputs("bringIn")).toMatchObject([{ what: "head", ours: null }]);
    expect(played.inputs("runTests").map(({ workspace }) => workspace.commit)).toContain("7".repeat(40));
    expect(played.inputs("pushBranch")).toHaveLength(1);
    await run.signal(signals.approveMerge, { by: "mara" });
    await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
  });
});

describe("a run that is told to look at GitHub again", () => {
  const lookAgain = (): IssueEvent => ({ kind: "look-again", at: new Date().toISOString() });

  it("hears what it has missed, and nothing twice", async () => {
    const { played, run, status } = await start();
    await reaches(status, "awaiting-approval");
    const at = new Date().toISOString();
    const asks = { verb: "revise", text: "name it better" } as const;
    const heard: IssueEvent = { kind: "command", command: asks, by: "mara", at, commentId: 5 };
    await run.signal(githubEventSignal, heard);
    await reaches(status, (now) => now.phase === "awaiting-approval" && now.pullRequest?.headSha === "2".repeat(40));
    const strangers: IssueEvent = { ...heard, command: { verb: "pause" }, by: "rita", commentId: 6 };
    played.news = [heard, strangers, { kind: "head-pushed", sha: "2".repeat(40), by: null, at }];
    await run.signal(githubEventSignal, lookAgain());
    await run.signal(githubEventSignal, lookAgain());
    await reaches(status, () => played.inputs("readNews").length === 2);
    const now = await reaches(status, ({ refused }) => refused.length > 0);
    expect(now).toMatchObject({ phase: "awaiting-approval", refused: [{ by: "rita" }] });
    expect(played.inputs("readNews")[0]).toMatchObject({ pullRequest: 2 });
    const approve: IssueEvent = { kind: "command", command: { verb: "approve" }, by: "mara", at, commentId: 7 };
    played.news = [...played.news, approve];
    await run.signal(githubEventSignal, lookAgain());
    await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
    const ended = await status();
    expect(ended.refused).toHaveLength(1);
    expect(ended.agents.find(({ role }) => role === "coder")?.turns).toBe(4);
  });

  it("ends when its issue was closed while nobody told it", async () => {
    const { played, run, status } = await start();
    await reaches(status, "awaiting-approval");
    played.news = [{ kind: "issue-changed", change: "closed", by: null, at: new Date().toISOString() }];
    await run.signal(githubEventSignal, lookAgain());
    await expect(run.result()).resolves.toEqual({ kind: "cancelled", reason: "the issue was closed" });
  });
});

describe("changes", () => {
  it("that a person asks for go to the coder, on the same branch and the same pull request", async () => {
    const { played, run, status } = await start();
    await reaches(status, "awaiting-approval");
    await run.signal(signals.requestChanges, { by: "mara", text: "name it better" });
    await reaches(status, (now) => now.phase === "awaiting-approval" && now.pullRequest?.headSha === "2".repeat(40));
    expect(played.inputs("openPullRequest")).toHaveLength(1);
    expect(played.inputs("pushBranch")).toMatchObject([{ expected: null }, { expected: "1".repeat(40) }]);
    expect(
      played.inputs("takeTurn").find(({ said }) => said.kind === "brief" && said.brief.kind === "revise"),
    ).toMatchObject({
      role: "coder",
      turn: 2,
      said: { brief: { because: "human", text: expect.stringContaining("name it better") } },
    });
    await run.signal(signals.approveMerge, { by: "mara", sha: "2".repeat(40) });
    await run.result();
  });

  it("that the reviewer asks for go to the coder, for a limited number of rounds", async () => {
    const finding = { path: "a.js", line: 1, severity: "must-fix", finding: "wrong" };
    const { played, run, status } = await start({ limits: { review_rounds: 2 } }, (played) => {
      for (let round = 0; round < 3; round += 1)
        played.reviews.push({ verdict: "request-changes", summary: "no", findings: [finding] });
    });
    await reaches(status, "awaiting-approval");
    expect(played.inputs("collectChange")).toHaveLength(3);
    await run.terminate();
  });

  it("that failed checks ask for go to the coder; then the new head is waited for", async () => {
    const { played, run, status } = await start({}, (played) => {
      played.checks = [{ id: null, name: "ci", state: "pending", url: null, summary: null, ours: false }];
    });
    await reaches(status, "awaiting-checks");
    played.checks = [{ id: null, name: "ci", state: "failure", url: null, summary: "boom", ours: false }];
    await run.signal(githubEventSignal, { kind: "checks-changed", sha: "1".repeat(40), at: "" });
    await reaches(status, (now) => now.pullRequest?.headSha === "2".repeat(40) && now.phase === "reviewing");
    played.checks = [{ id: null, name: "ci", state: "success", url: null, summary: null, ours: false }];
    await run.signal(githubEventSignal, { kind: "checks-changed", sha: "2".repeat(40), at: "" });
    await reaches(status, "awaiting-approval");
    await run.terminate();
  });
});

it("checks that the token may not read are left to the person who approves, also where nobody needs to be asked", async () => {
  const { run, status } = await start({ auto_merge: true, require_review: false }, (played) => (played.checks = null));
  const waiting = await reaches(status, "awaiting-approval");
  expect(waiting.waitingFor?.detail).toMatch(/cannot be read with this token/);
  await run.terminate();
});

describe("a change that does not hold", () => {
  it("stays a draft that says so when it cannot be verified", async () => {
    const { played, run, status } = await start({ limits: { verification_rounds: 1 } }, (played) => {
      played.testExitCodes["base-with-new-tests"] = 0;
    });
    const waiting = await reaches(status, "awaiting-approval");
    expect(waiting.waitingFor?.detail).toMatch(/^Not verified/);
    expect(waiting.evidence).toMatchObject({ failsOnBase: false, passesOnBranch: true });
    expect(played.pullRequest.draft).toBe(true);
    expect(played.inputs("collectChange")).toHaveLength(2);
    await run.terminate();
  });

  it("is no pull request at all when it is empty", async () => {
    const { played, run, status } = await start(
      { limits: { verification_rounds: 1 } },
      (played) => (played.change = { empty: true }),
    );
    await expect(run.result()).rejects.toThrow(WorkflowFailedError);
    expect((await status()).outcome).toMatchObject({
      kind: "failed",
      reason: expect.stringMatching(/changed nothing/),
    });
    expect(played.inputs("openPullRequest")).toHaveLength(0);
    expect(played.inputs("putComment").at(-2)?.comment.body).toMatch(/changed nothing/);
  });

  it("is no pull request when the policy refuses it", async () => {
    const violation = {
      rule: "protected-path",
      path: ".github/workflows/ci.yml",
      detail: "is protected",
      severity: "refuse",
    } as const;
    const { played, run, status } = await start(
      { limits: { verification_rounds: 0 } },
      (played) => (played.change = { violations: [violation] }),
    );
    await expect(run.result()).rejects.toThrow(WorkflowFailedError);
    expect((await status()).outcome?.kind).toBe("failed");
    expect(played.inputs("pushBranch")).toHaveLength(0);
  });
});

describe("an ending before the merge", () => {
  it("by reject closes the pull request and says why", async () => {
    const { played, run, status } = await start();
    await reaches(status, "awaiting-approval");
    await run.signal(signals.reject, { by: "mara", reason: "not wanted" });
    await expect(run.result()).resolves.toEqual({ kind: "declined", reason: "rejected by @mara: not wanted" });
    expect(played.pullRequest.state).toBe("closed");
    expect(played.inputs("putComment").filter(({ number }) => number === 2)).toHaveLength(1);
  });

  it("by cancellation closes the draft, leaves one comment, ends the sandboxes, and shows as cancelled", async () => {
    const { played, run, status } = await start();
    await reaches(status, "awaiting-approval");
    await run.cancel();
    await expect(run.result()).rejects.toThrow();
    expect((await run.describe()).status.name).toBe("CANCELLED");
    expect((await status()).outcome?.kind).toBe("cancelled");
    expect(played.pullRequest.state).toBe("closed");
    expect(played.inputs("putComment").filter(({ number }) => number === 2)).toHaveLength(1);
    expect(played.inputs("closeSandbox").some(({ purpose }) => purpose === "coder")).toBe(true);
  });

  it("is a polite comment when the issue is a question", async () => {
    const { played, run } = await start({}, (played) => (played.classification.category = "question"));
    await expect(run.result()).resolves.toMatchObject({ kind: "declined" });
    expect(played.inputs("openPullRequest")).toHaveLength(0);
    expect(played.inputs("putComment").some(({ comment }) => comment.marker.includes("ending"))).toBe(true);
  });

  it("comes when the pull request is closed by a person, and is a merge when they merged it", async () => {
    const { run, status } = await start();
    await reaches(status, "awaiting-approval");
    const closed = { kind: "pull-request-closed", pullRequest: 2, by: "mara", at: "" } as const;
    await run.signal(githubEventSignal, { ...closed, merged: true, mergeSha: "5".repeat(40) });
    await expect(run.result()).resolves.toEqual({ kind: "merged", sha: "5".repeat(40) });
  });
});

describe("what nobody should send", () => {
  it("does not stop a run: it is on record, and the run goes on", async () => {
    const { played, run, status } = await start();
    await reaches(status, "awaiting-approval");
    const handle = client.workflow.getHandle(run.workflowId);
    for (const event of [
      undefined,
      {},
      { kind: "command" },
      { kind: "review", state: "changes-requested" },
      { kind: "head-pushed" },
    ]) {
      await handle.signal("githubEvent", event);
    }
    await handle.signal("agentReport", {});
    played.fail.set("checkPermission", [new AccessDenied("GitHub", "The token was refused (401).")]);
    await run.signal(signals.approveMerge, { by: "mara" });
    const { refused, phase } = await reaches(status, (now) => now.refused.length === 7);
    expect(phase).toBe("awaiting-approval");
    expect(refused.map(({ reason }) => reason)).toContainEqual(expect.stringMatching(/token was refused/));
    await run.signal(signals.approveMerge, { by: "mara" });
    await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
  });

  it("late news of an own push changes nothing", async () => {
    const { run, status } = await start();
    await reaches(status, "awaiting-approval");
    await run.signal(signals.requestChanges, { by: "mara", text: "name it better" });
    await reaches(status, (now) => now.phase === "awaiting-approval" && now.pullRequest?.headSha === "2".repeat(40));
    await run.signal(githubEventSignal, { kind: "head-pushed", sha: "1".repeat(40), by: "mergewright-bot", at: "" });
    await run.signal(signals.approveMerge, { by: "mara", sha: "2".repeat(40) });
    await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
    expect((await status()).refused).toEqual([]);
  });

  it("a sandbox engine that is away at the end stops no merge", async () => {
    const { run, status } = await start({}, (played) => {
      played.fail.set(
        "closeSandbox",
        Array.from({ length: 9 }, () => new SandboxUnavailable("No engine answers.")),
      );
    });
    await reaches(status, "awaiting-approval");
    await run.signal(signals.approveMerge, { by: "mara" });
    await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
  });
});

describe("comments outlive an outage", () => {
  const limited = (): Error =>
    ApplicationFailure.nonRetryable("Come back later.", "RateLimited", { retryAfterMs: 1_500 });

  /** The first comment of each text is refused. */
  function refuseOnce(played: Played, texts: readonly string[]): void {
    const left = new Set(texts);
    const { putComment } = played.activities;
    played.activities.putComment = async (input) => {
      const text = [...left].find((each) => input.comment.body.includes(each));
      if (text !== undefined && left.delete(text)) throw limited();
      return putComment(input);
    };
  }
  const bodies = (played: Played): string[] => played.inputs("putComment").map(({ comment }) => comment.body);

  it("a run that waits for people shows so, though the comment could not be written at first", async () => {
    const shown = "mergewright:state phase=awaiting-approval";
    const { played, run, status } = await start({}, (parts) => refuseOnce(parts, [shown]));
    await reaches(status, "awaiting-approval");
    await reaches(status, () => bodies(played).at(-1)!.includes(shown));
    await run.terminate();
  });

  it("an ending is told, and shown, though neither could be written at first", async () => {
    const shown = "mergewright:state phase=declined";
    const told = "mergewright:ending";
    const { played, run, status } = await start({}, (parts) => refuseOnce(parts, [shown, told]));
    await reaches(status, "awaiting-approval");
    await run.signal(signals.reject, { by: "mara", reason: "not wanted" });
    const waiting = await reaches(status, (now) => now.waitingFor?.kind === "rate-limit");
    expect(waiting.waitingFor?.detail).toMatch(/Come back later/);
    await expect(run.result()).resolves.toMatchObject({ kind: "declined" });
    expect(bodies(played).filter((body) => body.includes(told))).toHaveLength(1);
    expect(bodies(played).at(-1)).toContain(shown);
    expect((await status()).waitingFor).toBeNull();
  });

  it("an ending waits for no comment that is refused for good", async () => {
    const { played, run, status } = await start();
    await reaches(status, "awaiting-approval");
    played.fail.set(
      "putComment",
      Array.from({ length: 9 }, () => new AccessDenied("GitHub", "The conversation is locked (403).")),
    );
    await run.signal(signals.approveMerge, { by: "mara" });
    await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
  });
});

describe("waiting", () => {
  it("for an operator starts when a key is refused, and ends with resume", async () => {
    const { run, status } = await start({}, (played) =>
      played.fail.set("takeTurn", [new AccessDenied("Claude", "The key was refused (401).")]),
    );
    const parked = await reaches(status, (now) => now.waitingFor?.kind === "operator");
    expect(parked.waitingFor?.detail).toMatch(/The key was refused/);
    await run.signal(signals.resume, {});
    await reaches(status, "awaiting-approval");
    await run.terminate();
  });

  it("for a service that is away shows the reason from the first step on, and ends by itself or with resume", async () => {
    const away = Array.from({ length: 4 }, () => new ServiceUnavailable("GitHub", "GitHub does not answer."));
    const { played, run, status } = await start({}, (parts) => parts.fail.set("openRun", away));
    const parked = await reaches(status, (now) => now.waitingFor?.kind === "outage");
    expect(parked).toMatchObject({ phase: "received", waitingFor: { until: expect.any(String) } });
    expect(parked.waitingFor?.detail).toMatch(/GitHub does not answer/);
    expect(played.inputs("openRun")).toHaveLength(4);
    await run.signal(signals.resume, {});
    await reaches(status, "awaiting-approval");
    expect((await status()).waitingFor).toMatchObject({ kind: "approval" });
    await run.terminate();
  });

  it("for a limit of an agent's service is told by the run, and is not tried before its time", async () => {
    const { played, run, status } = await start({}, (parts) =>
      parts.fail.set("takeTurn", [new RateLimited("Claude", null, "Come back later.")]),
    );
    const { waitingFor } = await reaches(status, (now) => now.waitingFor?.kind === "rate-limit");
    expect(Date.parse(waitingFor!.until!) - Date.parse(waitingFor!.since)).toBeGreaterThanOrEqual(59_000);
    expect(played.inputs("takeTurn")).toHaveLength(1);
    await run.signal(signals.resume, {});
    expect((await reaches(status, "awaiting-approval")).waitingFor?.kind).toBe("approval");
    await run.terminate();
  });

  it("for room to store a reply that is paid for gives that reply to the next attempt", async () => {
    const unsaved = {
      key: "k",
      reply: { content: [], stopReason: "end_turn", usage: {}, model: "m", requestBytes: 1 },
    };
    const full = ApplicationFailure.nonRetryable("The disk is full.", REPLY_NOT_STORED, { unsaved });
    const { played, run, status } = await start({}, (parts) => parts.fail.set("takeTurn", [full]));
    const { waitingFor } = await reaches(status, (now) => now.waitingFor?.kind === "outage");
    expect(waitingFor!.detail).toMatch(/The disk is full/);
    await run.signal(signals.resume, {});
    await reaches(status, "awaiting-approval");
    const [first, second, third] = played.inputs("takeTurn");
    expect(first).not.toHaveProperty("unsaved");
    expect(second).toEqual({ ...first, unsaved });
    expect(third).not.toHaveProperty("unsaved");
    await run.terminate();
  });

  it("for money starts at the budget, and ends when it is raised", async () => {
    const { run, status } = await start({ limits: { budget_usd: 0.025 } });
    const parked = await reaches(status, (now) => now.waitingFor?.kind === "budget");
    expect(parked.costUsd).toBeCloseTo(0.03);
    await run.signal(signals.raiseBudget, { by: "mara", usd: 5 });
    await reaches(status, "awaiting-approval");
    await run.terminate();
  });

  it("while paused goes on with resume, where it was", async () => {
    const { run, status } = await start({ require_plan_approval: true });
    await reaches(status, "awaiting-plan-approval");
    await run.signal(signals.pause, undefined);
    expect((await reaches(status, "paused")).waitingFor).toMatchObject({ kind: "resume" });
    await run.signal(signals.resume, undefined);
    await reaches(status, "awaiting-plan-approval");
    await run.signal(signals.approvePlan, { by: "mara" });
    await reaches(status, "awaiting-approval");
    await run.terminate();
  });

  it("for an approval is told of again from time to time, each time once, and ends declined when nobody decides", async () => {
    const hours = 1 / 3600;
    const { played, run } = await start({
      limits: { approval_reminder_hours: hours, approval_days: (hours * 3.5) / 24 },
    });
    await expect(run.result()).resolves.toMatchObject({
      kind: "declined",
      reason: expect.stringContaining("nobody decided"),
    });
    const reminders = played.inputs("putComment").filter(({ comment }) => comment.marker.includes("reminder"));
    expect(reminders).toHaveLength(3);
    expect(new Set(reminders.map(({ comment }) => comment.marker)).size).toBe(3);
    expect(reminders[0]!.comment.body).toMatch(/@mara: this still waits/);
    expect(played.pullRequest.state).toBe("closed");
  });

  it("for an approval stands still while the run is paused: nobody is reminded, and it does not expire", async () => {
    const hours = 2 / 3600;
    const { played, run, status } = await start({
      limits: { approval_reminder_hours: hours, approval_days: (hours * 3.5) / 24 },
    });
    const reminders = (): unknown[] =>
      played.inputs("putComment").filter(({ comment }) => comment.marker.includes("reminder"));
    await reaches(status, () => reminders().length === 1);
    await run.signal(signals.pause, undefined);
    await reaches(status, "paused");
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await status()).toMatchObject({ phase: "paused", outcome: null });
    expect(reminders()).toHaveLength(1);
    await run.signal(signals.resume, undefined);
    // What had been waited for before the pause counts.
    await expect(run.result()).resolves.toMatchObject({
      kind: "declined",
      reason: expect.stringContaining("nobody decided"),
    });
    expect(reminders()).toHaveLength(3);
  });
});
