/** What one process takes: runs and the steps that anybody can do, first steps in a sandbox, and the steps of the runs that live here. */
import { setTimeout as sleep } from "node:timers/promises";
import { type NativeConnection, Worker, type WorkerOptions, type WorkerTuner } from "@temporalio/worker";
import { sandboxQueue } from "../domain/ids.ts";
import { TASK_QUEUE } from "../workflows/messages.ts";
import type { Places } from "./places.ts";

/** Requests to GitHub and Git transfers, mostly waiting for the other side. */
const ANYWHERE_AT_ONCE = 32;
/** Far more than the agents and tests of the runs that have a place here. */
const AT_HOME_AT_ONCE = 500;

const LOOKED_AT_EVERY_MS = 1_000;

export interface QueueOptions {
  /** What holds for all of them. */
  common: Omit<WorkerOptions, "taskQueue">;
  /** The workflow code, as one file. */
  codePath: string;
  places: Places;
  /** The task queue of this worker's own. */
  home: string;
}

export async function takeQueues({ common, codePath, places, home }: QueueOptions): Promise<Worker[]> {
  return Promise.all([
    Worker.create({
      ...common,
      taskQueue: TASK_QUEUE,
      workflowBundle: { codePath },
      maxConcurrentActivityTaskExecutions: ANYWHERE_AT_ONCE,
      // The runs that a dead worker had in its memory go to another after this, and not after 10 s. One that is merely busy costs a replay.
      stickyQueueScheduleToStartTimeout: "1s",
    }),
    // The first step of a run in a sandbox: as many as there are places for.
    Worker.create({
      ...common,
      taskQueue: sandboxQueue(TASK_QUEUE),
      tuner: sandboxTuner(places),
      activityTaskPollerBehavior: { type: "simple-maximum", maximum: 2 },
    }),
    // The steps after it. They must be taken at once, or the worker counts as gone; the places bound their number.
    Worker.create({ ...common, taskQueue: home, maxConcurrentActivityTaskExecutions: AT_HOME_AT_ONCE }),
  ]);
}

/** One that fails takes the others along: half a worker would leave runs waiting that nobody else takes. */
export async function untilStopped(workers: readonly Worker[], connection: NativeConnection): Promise<void> {
  try {
    const running = workers.map((worker) => untilEnded(worker).finally(() => shutDown(workers)));
    const ended = await Promise.allSettled(running);
    for (const each of ended) if (each.status === "rejected") throw each.reason;
  } finally {
    // One that failed may hold on to it for good; the process ends with it.
    if (workers.every((worker) => worker.getState() !== "FAILED")) await connection.close();
  }
}

/** A worker that fails, as when Temporal refuses it from now on, may leave its own promise open for good. */
async function untilEnded(worker: Worker): Promise<void> {
  const over = new AbortController();
  const failed = async (): Promise<never> => {
    while (worker.getState() !== "FAILED") await sleep(LOOKED_AT_EVERY_MS, undefined, { signal: over.signal });
    // Where its promise settles, it tells the reason.
    await sleep(LOOKED_AT_EVERY_MS, undefined, { signal: over.signal });
    throw new Error("Temporal does not let this worker go on; the line before in the log tells why (Worker failed)");
  };
  try {
    await Promise.race([worker.run(), failed()]);
  } finally {
    over.abort();
  }
}

export function shutDown(workers: readonly Worker[]): void {
  for (const worker of workers) if (worker.getState() === "RUNNING") worker.shutdown();
}

function sandboxTuner(places: Places): WorkerTuner {
  const none = { type: "fixed-size", numSlots: 1 } as const;
  return {
    activityTaskSlotSupplier: places.slots(),
    workflowTaskSlotSupplier: none,
    localActivityTaskSlotSupplier: none,
    nexusTaskSlotSupplier: none,
  };
}
