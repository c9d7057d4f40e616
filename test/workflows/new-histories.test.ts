/** Runs that last: on a server that asks for new histories early, they go on with one wherever they wait, and lose nothing. */
import { ApplicationFailure } from "@temporalio/common";
import { expect, it } from "vitest";
import type { Turn } from "../../activities/contract.ts";
import { agentWorkflowId, type Role } from "../../domain/ids.ts";
import { ASKED_TO_WAIT } from "../../domain/patience.ts";
import type { QueueState } from "../../domain/ports.ts";
import { signals, updates } from "../../workflows/messages.ts";
import type { Played } from "./played-activities.ts";
import { type PlayedRun, playedRuns, phasesOf, reaches } from "./played-runs.ts";

/** A run that nobody talks to gets to its approval with fewer than this. */
const EARLY = 200;
const { client, start } = playedRuns([`limit.historyCount.suggestContinueAsNew=${EARLY}`]);

it("a run that waits for the approval of its plan goes on with a new history, with its plan, its clock and what was refused", async () => {
  const { played, run, status } = await start({ require_plan_approval: true });
  const waiting = await reaches(status, "awaiting-plan-approval");
  await untilNewHistory(run);
  const still = await status();
  expect({ ...still, refused: [] }).toEqual(waiting);
  expect(still.refused.length).toBeGreaterThan(10);
  await run.signal(signals.approvePlan, { by: "mara" });
  await merged({ played, run, status });
  expect(turnsTaken(played)).toEqual(["classifier 0", "planner 0", "coder 0", "coder 1", "reviewer 0"]);
  expect(played.inputs("openPullRequest")).toHaveLength(1);
  expect(played.inputs("takeTurn").find(({ role }) => role === "coder")).toMatchObject({
    said: { brief: { kind: "implement", plan: { cause: "an off-by-one" } } },
  });
}, 60_000);

it("a plan that was approved in the old history is not asked about in the new one", async () => {
  const { played, run, status } = await start({ require_plan_approval: true });
  await reaches(status, "awaiting-plan-approval");
  await untilNewHistory(run, async () => {
    await run.signal(signals.pause, {});
    await run.signal(signals.resume, {});
  });
  await run.signal(signals.approvePlan, { by: "mara" });
  await merged({ played, run, status });
  expect(phasesOf(await status()).filter((phase) => phase === "working")).toHaveLength(1);
}, 60_000);

it("a run in the merge queue goes on with a new history, and is merged once", async () => {
  let state: QueueState = { kind: "queued", position: 3, state: "QUEUED" };
  const { played, run, status } = await start({}, (parts) => {
    parts.mergeAnswers.push({ kind: "queued" });
    parts.activities.readMergeQueue = async () => state;
  });
  await reaches(status, "awaiting-approval");
  await run.signal(signals.approveMerge, { by: "mara" });
  const queued = await reaches(status, ({ waitingFor }) => waitingFor?.kind === "checks");
  await untilNewHistory(run);
  const still = await reaches(status, ({ waitingFor }) => waitingFor !== null);
  expect({ ...still, refused: [] }).toEqual(queued);
  state = { kind: "thrown-out", headSha: "1".repeat(40), reason: "its checks failed" };
  await run.signal("githubEvent", { kind: "checks-changed", sha: "1".repeat(40), at: "" });
  const again = await reaches(status, ({ phase, waitingFor }) => {
    return phase === "awaiting-approval" && waitingFor?.kind === "approval";
  });
  // Who approved is known in the new history, too.
  expect(again.refused.at(-1)).toMatchObject({ by: "mara", reason: expect.stringContaining("its checks failed") });
  await merged({ played, run, status });
  expect(played.inputs("mergePullRequest")).toHaveLength(2);
}, 60_000);

it.each<{ role: Role; phase: string; turn: number }>([
  { role: "planner", phase: "planning", turn: 0 },
  { role: "coder", phase: "working", turn: 0 },
  { role: "coder", phase: "working", turn: 1 },
  { role: "reviewer", phase: "reviewing", turn: 0 },
])(
  "a run whose $role is at turn $turn goes on with a new history after that turn, and pays for no turn twice",
  async ({ role, phase, turn }) => {
    const { played, run, status, letGo } = await heldAt(role, turn);
    await reaches(status, (now) => now.phase === phase && played.inputs("takeTurn").at(-1)?.role === role);
    await reaches(status, () => turnsTaken(played).at(-1) === `${role} ${turn}`);
    const before = await firstRunOf(run);
    await untilLong(run);
    letGo();
    await merged({ played, run, status });
    expect(await firstRunOf(run)).not.toBe(before);
    expect(turnsTaken(played)).toEqual(["classifier 0", "planner 0", "coder 0", "coder 1", "reviewer 0"]);
    const ended = await status();
    expect(ended).toMatchObject({ turns: 5, modelCalls: 5, outcome: { kind: "merged" } });
    expect(ended.costUsd).toBeCloseTo(0.05);
    expect(ended.agents.map((agent) => [agent.role, agent.turns, agent.state])).toEqual([
      ["classifier", 1, "done"],
      ["planner", 1, "done"],
      ["coder", 2, "done"],
      ["reviewer", 1, "done"],
    ]);
    for (const name of ["openPullRequest", "collectChange", "mergePullRequest", "closeIssue"] as const)
      expect(played.inputs(name)).toHaveLength(1);
    // The tree that was safe before the rest is what was collected.
    expect(played.inputs("collectChange")[0]!.checkpoint).toMatchObject({ commit: expect.stringMatching(/^call-0c/) });
  },
  60_000,
);

it("a coder that waits for money waits on in the new history, with the same clock and the same sum", async () => {
  const { played, run, status } = await start({ limits: { budget_usd: 0.025 } });
  const waiting = await reaches(status, ({ waitingFor }) => waitingFor?.kind === "budget");
  await untilNewHistory(run);
  await reaches(status, ({ waitingFor }) => waitingFor?.kind === "budget");
  expect({ ...(await status()), refused: [] }).toEqual(waiting);
  await run.executeUpdate(updates.raiseBudget, { args: [{ by: "mara", usd: 0.035 }] });
  // One more turn, and the money is spent again: what was spent before the rest was counted once.
  const again = await reaches(status, ({ waitingFor, costUsd }) => waitingFor?.kind === "budget" && costUsd > 0.035);
  expect(again.costUsd).toBeCloseTo(0.04);
  await run.executeUpdate(updates.raiseBudget, { args: [{ by: "mara", usd: 5 }] });
  await merged({ played, run, status });
  expect(turnsTaken(played)).toHaveLength(5);
}, 60_000);

it("a paused run goes on with a new history, and is paused in it until somebody resumes it", async () => {
  const { played, run, status, letGo } = await heldAt("coder", 0);
  await reaches(status, () => turnsTaken(played).at(-1) === "coder 0");
  await run.signal(signals.pause, {});
  const paused = await reaches(status, "paused");
  await hasHeard(agentWorkflowId(run.workflowId, "coder", 1), "pause");
  letGo();
  await untilNewHistory(run);
  expect(await status()).toMatchObject({ phase: "paused", waitingFor: paused.waitingFor });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(turnsTaken(played)).toEqual(["classifier 0", "planner 0", "coder 0"]);
  await run.signal(signals.resume, {});
  await merged({ played, run, status });
  expect(turnsTaken(played)).toHaveLength(5);
}, 60_000);

it("a run that is rejected while its agent comes to rest is declined, and leaves no agent behind", async () => {
  const { played, run, status, letGo } = await heldAt("coder", 0);
  await reaches(status, () => turnsTaken(played).at(-1) === "coder 0");
  await untilLong(run);
  await run.signal(signals.reject, { by: "mara", reason: "not wanted" });
  letGo();
  await expect(run.result()).resolves.toMatchObject({ kind: "declined" });
  const { workflowId } = run;
  for await (const each of client().workflow.list({ query: `WorkflowId STARTS_WITH "${workflowId}/"` }))
    expect(each.status.name).not.toBe("RUNNING");
}, 60_000);

it("an agent whose service is away for long goes on with a new history in the middle of waiting", async () => {
  let away = true;
  const { played, run, status } = await start({}, (parts) => {
    const { takeTurn } = parts.activities;
    parts.activities.takeTurn = async (input) => {
      if (away && input.role === "coder") throw ApplicationFailure.nonRetryable("Come back later.", ASKED_TO_WAIT);
      return takeTurn(input);
    };
  });
  await reaches(status, ({ waitingFor }) => waitingFor?.kind === "outage");
  const coder = client().workflow.getHandle(agentWorkflowId(run.workflowId, "coder", 1));
  const before = (await coder.describe()).runId;
  // Each resume is a try, as each passing of the timer is; the run that hears of all goes on with new histories, too.
  for (const deadline = Date.now() + 60_000; (await coder.describe()).runId === before;) {
    expect(Date.now()).toBeLessThan(deadline);
    if ((await coder.describe()).status.name !== "RUNNING") break;
    // It may have come to rest in this moment.
    await coder.signal("resume").catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // It has been away for long: the new history does not begin to ask for it every few seconds.
  const firstTimer = async (): Promise<number> => {
    const rested = (await coder.describe()).status.name !== "RUNNING";
    const goesOn = rested ? client().workflow.getHandle(agentWorkflowId(run.workflowId, "coder", 2)) : coder;
    const { events = [] } = await goesOn.fetchHistory().catch(() => ({}) as { events?: never });
    const timer = events?.find((event) => event.timerStartedEventAttributes)?.timerStartedEventAttributes;
    return Number(timer?.startToFireTimeout?.seconds ?? 0);
  };
  await expect.poll(firstTimer, { timeout: 20_000 }).toBeGreaterThan(4 * 60);
  away = false;
  await run.signal(signals.resume, {});
  await reaches(status, "awaiting-approval");
  await merged({ played, run, status });
  expect(turnsTaken(played)).toHaveLength(5);
}, 120_000);

it("a step of the run that fails once more adds fewer than 40 events to its history", async () => {
  const { run, status } = await start({}, (parts) => {
    parts.fail.set(
      "openRun",
      Array.from({ length: 20 }, (_, n) => ApplicationFailure.nonRetryable(`Come back later (${n}).`, ASKED_TO_WAIT)),
    );
  });
  const failures = async (n: number) => reaches(status, ({ waitingFor }) => !!waitingFor?.detail?.includes(`(${n}).`));
  await failures(0);
  const before = (await run.describe()).historyLength;
  for (let n = 1; n <= 5; n += 1) {
    await run.signal(signals.resume, {});
    await failures(n);
    // Until its comment is written, too.
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const perRound = ((await run.describe()).historyLength - before) / 5;
  expect(perRound).toBeGreaterThan(5);
  expect(perRound).toBeLessThan(40);
  await run.terminate();
});

/** The agent's turn ends when the test lets it go. */
async function heldAt(role: Role, turn: number): Promise<PlayedRun & { letGo: () => void }> {
  let letGo = (): void => undefined;
  const gone = new Promise<void>((resolve) => (letGo = resolve));
  const started = await start({}, (parts) => {
    const { takeTurn } = parts.activities;
    parts.activities.takeTurn = async (input): Promise<Turn> => {
      const taken = await takeTurn(input);
      if (input.role === role && input.turn === turn) await gone;
      return taken;
    };
  });
  return { ...started, letGo };
}

/** A signal has reached a workflow. */
async function hasHeard(workflowId: string, signal: string): Promise<void> {
  for (const deadline = Date.now() + 20_000; ;) {
    const { events } = await client().workflow.getHandle(workflowId).fetchHistory();
    if (events?.some((event) => event.workflowExecutionSignaledEventAttributes?.signalName === signal)) return;
    expect(Date.now()).toBeLessThan(deadline);
  }
}

function turnsTaken(played: Played): string[] {
  return played.inputs("takeTurn").map(({ role, turn }) => `${role} ${turn}`);
}

async function merged({ run, status }: PlayedRun): Promise<void> {
  await reaches(status, "awaiting-approval");
  await run.signal(signals.approveMerge, { by: "mara" });
  await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
}

async function firstRunOf(run: PlayedRun["run"]): Promise<string> {
  return (await run.describe()).runId;
}

/** Says what changes nothing, and waits for the answer: while something is being heard, no history ends. */
const nothing = async (run: PlayedRun["run"]): Promise<void> => {
  const said = Array.from({ length: 4 }, () =>
    run.executeUpdate(updates.answer, { args: [{ by: "rita", text: "hm" }] }),
  );
  for (const { status } of await Promise.allSettled(said)) expect(status).toBe("rejected");
};

async function untilLong(run: PlayedRun["run"]): Promise<void> {
  while ((await run.describe()).historyLength < EARLY + 20) await nothing(run);
}

async function untilNewHistory(run: PlayedRun["run"], say = () => nothing(run)): Promise<void> {
  const before = await firstRunOf(run);
  for (let round = 0; (await firstRunOf(run)) === before; round += 1) {
    expect(round).toBeLessThan(100);
    await say();
  }
}
