/** What a run waits for, and how it goes on. */
import { Context } from "@temporalio/activity";
import { ApplicationFailure } from "@temporalio/common";
import { describe, expect, it, vi } from "vitest";
import { AccessDenied, NoPlace, RateLimited, ServiceUnavailable } from "../../domain/errors.ts";
import { REPLY_NOT_STORED } from "../../domain/patience.ts";
import { signals } from "../../workflows/messages.ts";
import type { Played } from "./played-activities.ts";
import { playedRuns, reaches } from "./played-runs.ts";

const { start } = playedRuns();

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

  it("in line for a sandbox is not an agent's working time", async () => {
    const { run, status } = await start({ limits: { minutes: 0.05 } }, plannerLooksFirst(10), {
      sandboxesAfterMs: 5_000,
    });
    await reaches(status, "awaiting-approval");
    await run.terminate();
  });

  it("for a place on a worker that is full stands in line with the step, and is no failure", async () => {
    const tries: { queue: string; attempt: number }[] = [];
    const { run, status } = await start({}, ({ activities }) => {
      const { takeTurn } = activities;
      activities.takeTurn = async (input) => {
        if (input.role !== "coder" || input.turn !== 1) return takeTurn(input);
        const { taskQueue, attempt } = Context.current().info;
        tries.push({ queue: taskQueue, attempt });
        if (tries.length === 1) throw new NoPlace("All 8 places of this worker are taken.");
        return takeTurn(input);
      };
    });
    const asked = await reaches(status, "awaiting-approval");
    // A step of its own, and not the next attempt of the one that was given back.
    expect(tries.map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect(tries[1]!.queue).toMatch(/-sandboxes$/);
    expect(asked.hosts).toHaveLength(1);
    await run.terminate();
  });

  it("for a step that its worker is lost in, again and again, does not take all workers with it", async () => {
    let begun = 0;
    const { run, status } = await start({}, ({ activities }) => {
      const { takeTurn } = activities;
      activities.takeTurn = async (input) => {
        if (input.role !== "planner") return takeTurn(input);
        begun += 1;
        // Longer than a worker may be silent.
        if (begun <= 5) await new Promise((resolve) => setTimeout(resolve, 6_000));
        return takeTurn(input);
      };
    });
    await vi.waitFor(() => expect(begun).toBe(5), { timeout: 45_000, interval: 100 });
    const parked = await reaches(status, (now) => now.waitingFor?.kind === "outage");
    expect(parked.waitingFor?.detail).toMatch(/No worker finished it in time/);
    await run.signal(signals.resume, {});
    await reaches(status, "awaiting-approval");
    expect(begun).toBe(6);
    await run.terminate();
  });

  it("for an agent ends when its turns took longer than it may work", async () => {
    const { run } = await start({ limits: { minutes: 0.05 } }, plannerLooksFirst(3_000));
    await expect(run.result()).rejects.toMatchObject({
      cause: { message: "the planner gave up: limits.minutes: 0.05 minutes of work brought no answer" },
    });
  });

  it("for an agent ends when its turns used more tokens than it may, in and out", async () => {
    const { run } = await start({ limits: { tokens: 2 } }, plannerLooksFirst(1));
    await expect(run.result()).rejects.toMatchObject({
      cause: { message: "the planner gave up: limits.tokens: 2 tokens were used without an answer" },
    });
  });

  it("for money starts at the budget, and ends when it is raised", async () => {
    const { run, status } = await start({ limits: { budget_usd: 0.025 } });
    const parked = await reaches(status, (now) => now.waitingFor?.kind === "budget");
    expect(parked.costUsd).toBeCloseTo(0.03);
    await run.signal(signals.raiseBudget, { by: "mara", usd: 5 });
    await reaches(status, "awaiting-approval");
    await run.terminate();
  });

  it("for money does not end a pause: nothing is asked of Claude until both are over", async () => {
    const { played, run, status } = await start({ limits: { budget_usd: 0.025 } });
    await reaches(status, (now) => now.waitingFor?.kind === "budget");
    await run.signal(signals.pause, undefined);
    await reaches(status, "paused");
    const turns = played.inputs("takeTurn").length;
    await run.signal(signals.raiseBudget, { by: "mara", usd: 5 });
    await reaches(status, (now) => now.budgetUsd === 5);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(played.inputs("takeTurn")).toHaveLength(turns);
    await run.signal(signals.resume, undefined);
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

  it("for an approval asks GitHub before it ends as declined: an approval that was missed counts", async () => {
    const days = 3 / (24 * 3600);
    const { played, run, status } = await start({ limits: { approval_reminder_hours: 0, approval_days: days } });
    await reaches(status, "awaiting-approval");
    const at = new Date().toISOString();
    played.news = [{ kind: "command", command: { verb: "approve" }, by: "mara", at, commentId: 5 }];
    await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
    expect(played.inputs("readNews")).toHaveLength(1);
  });

  it("for an approval does not end where GitHub could not be asked whether there is one", async () => {
    const days = 2 / (24 * 3600);
    const { played, run, status } = await start(
      { limits: { approval_reminder_hours: 0, approval_days: days } },
      ({ fail }) => fail.set("readNews", [new AccessDenied("GitHub", "The token was refused (401).")]),
    );
    await reaches(status, () => played.inputs("readNews").length === 1);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await status()).toMatchObject({ phase: "awaiting-approval", waitingFor: { kind: "approval" } });
    await run.signal(signals.approveMerge, { by: "mara" });
    await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
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

/** Its first turn, on which it works for so long, uses a tool. */
function plannerLooksFirst(workedMs: number): (played: Played) => void {
  return ({ activities }) => {
    const takeTurn = activities.takeTurn;
    activities.takeTurn = async (input) => {
      const turn = await takeTurn(input);
      if (input.role !== "planner" || input.turn > 0) return { ...turn, workedMs };
      const calls = [{ id: "call-0", name: "bash", onlyReads: true, summary: "ls" }];
      return { ...turn, workedMs, stopReason: "tool_use", calls, answer: null };
    };
  };
}
