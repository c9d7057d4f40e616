/** How a run ends before its merge, and what does not end it. */
import { ApplicationFailure } from "@temporalio/common";
import { describe, expect, it } from "vitest";
import { AccessDenied, SandboxUnavailable } from "../../domain/errors.ts";
import { githubEventSignal, signals } from "../../workflows/messages.ts";
import type { Played } from "./played-activities.ts";
import { playedRuns, reaches } from "./played-runs.ts";

const { start } = playedRuns();

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
    for (const event of [
      undefined,
      {},
      { kind: "command" },
      { kind: "review", state: "changes-requested" },
      { kind: "head-pushed" },
    ]) {
      await run.signal("githubEvent", event);
    }
    await run.signal("agentReport", {});
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
