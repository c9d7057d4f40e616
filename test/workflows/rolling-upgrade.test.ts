/** Workers of two versions side by side, the newer with one more step behind `patched`: decision 3. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, WorkflowHandle } from "@temporalio/client";
import { bundleWorkflowCode, type WorkerOptions } from "@temporalio/worker";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import type { Activities } from "../../activities/contract.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { RESOLVE_ISSUE, signals, statusQuery } from "../../workflows/messages.ts";
import { changedBuild } from "../support/changed-build.ts";
import { patchesIn } from "../support/patches.ts";
import { runWorker, temporalClient, workflowBundle } from "../support/temporal.ts";
import { type Played, playActivities } from "./played-activities.ts";
import { reaches, runInput } from "./played-runs.ts";

const RUNS = 4;
const BEFORE_THE_MERGE = 'run.enter("merging");';
const IMPORT = 'from "@temporalio/workflow";';

let client: Client;
let folder: string;
let newer: NonNullable<WorkerOptions["workflowBundle"]>;
beforeAll(async () => {
  client = await temporalClient();
  folder = await mkdtemp(join(tmpdir(), "mergewright-rolling-"));
  await changedBuild(folder, [
    { file: "workflows/merge.ts", from: IMPORT, to: `${IMPORT}\nimport { patched, sleep } ${IMPORT}` },
    {
      file: "workflows/merge.ts",
      from: BEFORE_THE_MERGE,
      to: `${BEFORE_THE_MERGE} if (patched("breath")) await sleep(300);`,
    },
  ]);
  const silent = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
  newer = await bundleWorkflowCode({ workflowsPath: join(folder, "workflows", "index.ts"), logger: silent });
}, 120_000);
afterAll(async () => {
  await client.connection.close();
  await rm(folder, { recursive: true, force: true });
});

it("runs that wait, and runs that begin, go on while the older worker is replaced, and none meets code that it does not fit", async () => {
  const stage = playedWorld();
  const older = await stage.worker({ codePath: workflowBundle() });
  const waiting = await stage.startWaiting(RUNS);
  await stage.worker(newer);
  const begun = await stage.startWaiting(RUNS);
  // Half of them are merged by whoever has them, the others by who is left.
  const [early, late] = [
    [...waiting.slice(0, 2), ...begun.slice(0, 2)],
    [...waiting.slice(2), ...begun.slice(2)],
  ];
  await stage.merge(early);
  await older.stop();
  await stage.merge(late);
  const tales = await Promise.all([...early, ...late].map(taleOf));
  expect(tales.map(({ failedTasks }) => failedTasks)).toEqual(tales.map(() => 0));
  // Those that the newer merged took its step.
  for (const { patches } of tales.slice(early.length)) expect(patches).toContain("breath");
  stage.expectMergedOnce(2 * RUNS);
}, 120_000);

it("where each task may come to either version, a run that the older cannot go on with waits for the newer, and is merged once", async () => {
  const stage = playedWorld();
  // Nothing is kept in memory: every task begins with the whole history, on whichever worker takes it.
  const older = await stage.worker({ codePath: workflowBundle() }, { maxCachedWorkflows: 0 });
  await stage.worker(newer, { maxCachedWorkflows: 0 });
  const runs = await stage.startWaiting(RUNS);
  const merged = stage.merge(runs);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await older.stop();
  await merged;
  stage.expectMergedOnce(RUNS);
}, 120_000);

/** Several runs on one task queue, each with an outside of its own. */
function playedWorld() {
  const taskQueue = `rolling-${randomUUID()}`;
  const outsides = new Map<string, Played>();
  const outsideOf = (input: { run?: { id: string }; workspace?: { run: { id: string } } }): Played => {
    const id = (input.run ?? input.workspace!.run).id;
    const known = outsides.get(id) ?? playActivities();
    outsides.set(id, known);
    return known;
  };
  const names = Object.keys(playActivities().activities) as (keyof Activities)[];
  const activities = Object.fromEntries(
    names.map((name) => [
      name,
      (input: never) => (outsideOf(input).activities[name] as (input: never) => Promise<unknown>)(input),
    ]),
  );
  return {
    async worker(workflowBundleOf: typeof newer, more: Partial<WorkerOptions> = {}) {
      const worker = await runWorker({ ...more, taskQueue, activities, bundle: workflowBundleOf });
      let stopped: Promise<void> | null = null;
      const stop = (): Promise<void> => (stopped ??= worker.stop());
      onTestFinished(stop);
      return { stop };
    },
    async startWaiting(count: number): Promise<WorkflowHandle[]> {
      const runs = await Promise.all(Array.from({ length: count }, () => start(taskQueue)));
      for (const run of runs) await reaches(() => run.query(statusQuery), "awaiting-approval");
      return runs;
    },
    async merge(runs: readonly WorkflowHandle[]): Promise<void> {
      for (const run of runs) await run.signal(signals.approveMerge, { by: "mara" });
      for (const run of runs) await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
    },
    expectMergedOnce(count: number): void {
      expect(outsides.size).toBe(count);
      for (const played of outsides.values())
        for (const name of ["mergePullRequest", "openPullRequest", "closeIssue"] as const)
          expect(played.inputs(name)).toHaveLength(1);
    },
  };
}

async function start(taskQueue: string): Promise<WorkflowHandle> {
  const repository = `o/r-${randomUUID().slice(0, 8)}`;
  const args = [runInput(repository)];
  return client.workflow.start(RESOLVE_ISSUE, { workflowId: issueWorkflowId(repository, 1), taskQueue, args });
}

async function taleOf(run: WorkflowHandle): Promise<{ failedTasks: number; patches: string[] }> {
  const history = await run.fetchHistory();
  const failed = (history.events ?? []).filter((event) => event.workflowTaskFailedEventAttributes);
  return { failedTasks: failed.length, patches: patchesIn(history) };
}

function ignore(): void {}
