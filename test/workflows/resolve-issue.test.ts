/** The story on a real Temporal server, with everything outside played. */
import { WorkflowFailedError } from "@temporalio/client";
import { describe, expect, it } from "vitest";
import { AccessDenied } from "../../domain/errors.ts";
import type { IssueEvent } from "../../domain/events.ts";
import { githubEventSignal, signals, updates } from "../../workflows/messages.ts";
import { phasesOf, playedRuns, reaches } from "./played-runs.ts";

const { start } = playedRuns();

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

  it("asks again whether somebody may approve or cancel, where that could not be checked before", async () => {
    const { played, run, status } = await start();
    await reaches(status, "awaiting-approval");
    const at = new Date().toISOString();
    const { headSha } = (await status()).pullRequest!;
    const review: IssueEvent = { kind: "review", state: "approved", by: "rita", sha: headSha, text: "", at };
    const cancel: IssueEvent = { kind: "command", command: { verb: "cancel" }, by: "mara", at, commentId: 9 };
    const refused = (): Error => new AccessDenied("GitHub", "The token was refused (401).");
    played.fail.set("checkPermission", [refused(), refused()]);
    await run.signal(githubEventSignal, review);
    await run.signal(githubEventSignal, cancel);
    const unchecked = { reason: expect.stringContaining("The token was refused (401).") };
    const parked = await reaches(status, (now) => now.refused.length === 2);
    expect(parked).toMatchObject({ phase: "awaiting-approval", refused: [unchecked, unchecked] });
    played.news = [review];
    await run.signal(githubEventSignal, lookAgain());
    await run.signal(githubEventSignal, lookAgain());
    const { refused: once } = await reaches(status, (now) => now.refused.length > 2);
    expect(once.slice(2)).toMatchObject([{ by: "rita", reason: expect.not.stringContaining("could not be checked") }]);
    played.news = [review, cancel];
    await run.signal(githubEventSignal, lookAgain());
    await expect(run.result()).resolves.toEqual({ kind: "cancelled", reason: "cancelled by @mara" });
    expect((await status()).refused).toHaveLength(3);
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
