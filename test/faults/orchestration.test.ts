/** What happens when a process of Mergewright, or the Temporal server, dies at the worst moment. About 15 s for each kill. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Worker } from "@temporalio/worker";
import type { temporal } from "@temporalio/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quietRuntime, workflowBundle } from "../support/temporal.ts";
import { type Cluster, startCluster } from "./harness/cluster.ts";
import { artifactsOf, crash, holdGitHub, holdModel, order, until, type WorkerKill, workerOn } from "./harness/crash.ts";
import { IN_FLIGHT_MS, wrongAfter } from "./harness/evidence.ts";
import { largestEventBytes, retakenMs, spread } from "./harness/recovery.ts";
import { type CrashRun, finish, openIssue, reaches, statusOf, trigger } from "./harness/run.ts";
import { LOUD, LOUD_STEPS, QUICK_STEPS, SLOW, SLOW_STEPS } from "./harness/scenario.ts";

type History = temporal.api.history.v1.IHistory;

const TIMEOUT_MS = 200_000;
/** Heartbeat time-out, a beat's age, the first pause between attempts, and room for a machine that is busy with other tests. */
const RETAKEN_WITHIN_MS = 12_000;

let cluster: Cluster;
let failed = 0;
const retaken: number[] = [];

beforeAll(async () => {
  cluster = await startCluster();
}, 120_000);

afterAll(async () => {
  await cluster.close(failed > 0);
  const { median, p95, count } = spread(retaken);
  process.stderr.write(
    `From kill -9 of a worker to its step being taken up again: median ${median} ms, p95 ${p95} ms, of ${count}.\n`,
  );
});

describe("kill -9 of the worker", () => {
  const onGitHub = [
    { id: "E1", effect: "clone", activity: "prepareBase", method: "POST", path: "\\.git/git-upload-pack$" },
    { id: "E4", effect: "push", activity: "pushBranch", method: "POST", path: "\\.git/git-receive-pack$" },
    { id: "E5", effect: "pull request", activity: "openPullRequest", method: "POST", path: "/pulls$" },
    { id: "E6", effect: "comment", activity: "putComment", method: "POST", path: "/issues/\\d+/comments$" },
    { id: "E7", effect: "merge", activity: "mergePullRequest", method: "PUT", path: "/merge$" },
  ] as const;

  for (const { id, effect, activity, method, path } of onGitHub) {
    for (const when of ["before", "after"] as const) {
      crashTest(`${id}: a worker that is killed ${when} the ${effect} is made leaves one of it`, {}, async (run) => {
        const held = await holdGitHub(cluster, { method, path }, when);
        await trigger(cluster, run);
        if (effect === "merge") void finish(cluster, run).catch(() => undefined);
        await held.struck();
        const killed = await crash(await workerOn(cluster, run, activity), activity);
        await held.clear();
        return killed;
      });
    }
  }

  crashTest(
    "E2: a worker that is killed before Claude has replied asks once more, and only for that",
    {},
    async (run) => {
      const asked = await holdModel(cluster, { role: "coder", turn: 1, ms: 20_000 });
      await trigger(cluster, run);
      await asked();
      return crash(await workerOn(cluster, run, "takeTurn"), "takeTurn");
    },
  );

  crashTest("E2: a worker that is killed after Claude's reply was stored does not ask again", {}, async (run) => {
    const asked = await holdModel(cluster, { role: "coder", turn: 1, ms: 1_500 });
    await trigger(cluster, run);
    await asked();
    return whileTemporalStandsStill(run, /agents\/coder\/turns\/1\./);
  });

  crashTest("E3: a worker that is killed before a command ran has it run once", {}, async (run) => {
    const asked = await holdModel(cluster, { role: "coder", turn: 1, ms: 1_500 });
    await trigger(cluster, run);
    await asked();
    // The sandbox stands still, so the command of this turn is sent and does not run.
    const coder = (await cluster.containers()).find((name) => name.endsWith("-coder"))!.replace("/", "");
    await docker("pause", coder);
    await until("the next turn is in hand", () => artifactsOf(cluster, run, /agents\/coder\/turns\/1\./).length > 0);
    const worker = await workerOn(cluster, run, "takeTurn");
    await new Promise((resolve) => setTimeout(resolve, 500));
    const killed = await crash(worker, "takeTurn");
    await docker("unpause", coder);
    return killed;
  });

  crashTest("E3: a worker that is killed in the middle of a command finds it again", { title: SLOW }, async (run) => {
    await trigger(cluster, run);
    await until(
      "the slow command was asked for",
      () => artifactsOf(cluster, run, /agents\/coder\/turns\/1\./).length > 0,
    );
    const worker = await workerOn(cluster, run, "takeTurn");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    return crash(worker, "takeTurn");
  });

  crashTest(
    "E3: a worker that is killed after a command's result was stored does not run it again",
    {},
    async (run) => {
      const asked = await holdModel(cluster, { role: "coder", turn: 1, ms: 20_000 });
      await trigger(cluster, run);
      await asked();
      await until("the result is stored", () => artifactsOf(cluster, run, /agents\/coder\/results\/0\./).length > 0);
      return crash(await workerOn(cluster, run, "takeTurn"), "takeTurn");
    },
  );
});

it(
  "E8: a Temporal server that is killed while an approval is awaited loses nothing",
  async () => {
    const run = await openIssue(cluster, "E8");
    await trigger(cluster, run);
    const waiting = await reaches(cluster, run, "approval", ({ waitingFor }) => waitingFor?.kind === "approval");
    const at = await cluster.temporal.kill();
    // The page tells that it cannot be asked, and the process lives.
    const page = await fetch(`${cluster.url}/ready`, { signal: AbortSignal.timeout(10_000) });
    expect(page.status).toBe(503);
    await cluster.temporal.start();
    const again = await until("its status", async () => (await statusOf(cluster, run)) ?? undefined);
    expect(again).toEqual(waiting);
    const { status } = await finish(cluster, run);
    expect(status.outcome?.kind).toBe("merged");
    expect(await wrongAfter(cluster, run, QUICK_STEPS, [{ part: "temporal", at }])).toEqual([]);
  },
  TIMEOUT_MS,
);

for (const megabytes of [2.2, 4.5]) {
  it(
    `E9: an answer of Claude and checks of ${megabytes} MB, and a command that prints as much, end no run`,
    async () => {
      const run = await openIssue(cluster, `E9-${megabytes}`, { title: LOUD });
      const ci = { repository: run.repository, status: "completed", conclusion: "success" };
      const { main } = await cluster.people.branches(run.repository);
      await cluster.people.check({ ...ci, sha: main!, name: "ci" });
      const plan = { cause: "x".repeat(megabytes * 1e6), steps: [], files: [], test: "none", risks: [] };
      await order(cluster, { kind: "say", role: "planner", turn: 1, text: JSON.stringify(plan) });
      await trigger(cluster, run);
      const { pullRequest } = await reaches(cluster, run, "checks", ({ phase }) => phase === "awaiting-checks");
      const output = { title: "All well", summary: "y".repeat(60_000) };
      for (let number = 0; number * 60_000 < megabytes * 1e6; number++)
        await cluster.people.check({ ...ci, sha: pullRequest!.headSha, name: `ci / ${number}`, output });
      const { status } = await finish(cluster, run);
      expect(status.outcome?.kind).toBe("merged");
      expect(await wrongAfter(cluster, run, LOUD_STEPS, [])).toEqual([]);
      expect(await largestEventBytes(cluster, run)).toBeLessThan(200_000);
    },
    TIMEOUT_MS,
  );
}

it(
  "E10: the histories of all these runs, crashes included, replay with the workflow code",
  async () => {
    const histories = async function* (): AsyncGenerator<{ workflowId: string; history: History }> {
      for await (const { workflowId, runId } of cluster.client.workflow.list())
        yield { workflowId, history: await cluster.client.workflow.getHandle(workflowId, runId).fetchHistory() };
    };
    quietRuntime();
    const replayed = [];
    const code = { workflowBundle: { codePath: workflowBundle() } };
    for await (const { workflowId, error } of Worker.runReplayHistories(code, histories()))
      replayed.push({ workflowId, error: error?.message });
    expect(replayed.length).toBeGreaterThan(0);
    expect(replayed.filter(({ error }) => error !== undefined)).toEqual([]);
  },
  TIMEOUT_MS,
);

/** The run goes on to its end after the kill that `play` makes, the step is taken up soon, and all counts are right. */
function crashTest(name: string, options: { title?: string }, play: (run: CrashRun) => Promise<WorkerKill>): void {
  it(
    name,
    async () => {
      failed += 1;
      const run = await openIssue(cluster, name.replace(/[^a-z0-9]+/gi, "-").slice(0, 60), options);
      const killed = await play(run);
      // The other one alone takes over; then the dead one comes up again.
      const other = cluster.workers.find(({ name: one }) => one !== killed.part)!;
      expect(other.pid).not.toBeNull();
      const ended = finish(cluster, run);
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 6_000))]);
      await cluster.workers.find(({ name: one }) => one === killed.part)!.start();
      const { status } = await ended;
      expect(status.outcome?.kind).toBe("merged");
      expect(await wrongAfter(cluster, run, options.title === SLOW ? SLOW_STEPS : QUICK_STEPS, [killed])).toEqual([]);
      const took = await retakenMs(cluster, run, killed);
      expect(took).not.toBeNull();
      expect(took).toBeLessThan(RETAKEN_WITHIN_MS);
      retaken.push(took!);
      failed -= 1;
    },
    TIMEOUT_MS,
  );
}

/** Temporal is stopped until the artifact is there and the worker dead: what was made is never told. */
async function whileTemporalStandsStill(run: CrashRun, made: RegExp): Promise<WorkerKill> {
  const worker = await workerOn(cluster, run, "takeTurn");
  const before = artifactsOf(cluster, run, made).length;
  cluster.temporal.signal("SIGSTOP");
  try {
    await until("it is stored", () => artifactsOf(cluster, run, made).length > before, 30_000);
    // Nothing may be asked for again then: it is no longer in flight.
    await new Promise((resolve) => setTimeout(resolve, 2 * IN_FLIGHT_MS));
    return await crash(worker, "takeTurn");
  } finally {
    cluster.temporal.signal("SIGCONT");
  }
}

async function docker(...words: string[]): Promise<void> {
  await promisify(execFile)("docker", words);
}
