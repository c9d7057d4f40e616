/** A worker: it runs workflow code and activities until it is told to stop. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@temporalio/client";
import { NativeConnection, Worker, type WorkerOptions, type WorkerTuner } from "@temporalio/worker";
import { createActivities } from "../activities/index.ts";
import type { Config } from "../config/config.ts";
import { homeQueue, sandboxQueue } from "../domain/ids.ts";
import type { Sandboxes } from "../domain/ports.ts";
import { type ResolveIssueInput, TASK_QUEUE } from "../workflows/messages.ts";
import { adopt } from "./adopt.ts";
import { removeLeftovers, tidyMirrors } from "./cleaning.ts";
import { clock } from "./clock.ts";
import { CROWD_EVERY_MS, makeRoom, standingInTemporal } from "./crowd.ts";
import { hasSibling, homeId } from "./home.ts";
import { installTemporalLog, type Log } from "./log.ts";
import { dataConverterFor, failureConverterFor } from "./payloads/data-converter.ts";
import { Places } from "./places.ts";
import { createPorts } from "./ports.ts";
import { reachTemporal } from "./reach.ts";
import { ownerOfSandboxes, reap } from "./reaper.ts";
import { startRounds } from "./rounds.ts";
import { ensureSchedules } from "./schedules.ts";
import { ensureSearchAttributes } from "./search-attributes.ts";
import { createUpkeep } from "./upkeep.ts";
import { Uses } from "./uses.ts";
import { bundleCache, workflowBundle } from "./workflow-bundle.ts";

export interface Running {
  /** Stops taking work, lets what runs finish within the grace time, and ends. */
  stop(): Promise<void>;
  /** Settles when it has ended; rejects when it failed. */
  ended: Promise<void>;
}

/** Requests to GitHub and Git transfers, mostly waiting for the other side. */
const ANYWHERE_AT_ONCE = 32;
/** Far more than the agents and tests of the runs that have a place here. */
const AT_HOME_AT_ONCE = 500;
/** A reply of Claude that is under way is paid for already. Kubernetes kills after 30 s unless told otherwise. */
const GRACE = "20s";
/** An engine that does not answer must not hold up the end. */
const CLOSING_MS = 8_000;

export interface StartOptions {
  /** Where people look at a run; absent: what the settings tell. */
  links?: () => ResolveIssueInput["links"];
  /** Ends the waiting for a Temporal server that is away. */
  signal?: AbortSignal;
}

export async function startWorker(
  config: Config,
  log: Log,
  { links = () => linksOf(config), signal }: StartOptions = {},
): Promise<Running> {
  installTemporalLog(log);
  const { namespace } = config.temporal;
  const reaching = reachTemporal(config, log, signal, (reached) => ownerOfSandboxes(reached, namespace));
  const [{ connection, met: owner }, bundle] = await Promise.all([
    reaching,
    workflowBundle(bundleCache, failureConverterFor(config)),
  ]);
  await ensureSearchAttributes(connection, namespace, log);
  const places = new Places(config.execution.runsAtOnce);
  const draining = new AbortController();
  const home = homeQueue(TASK_QUEUE, homeId(config));
  const installation = { namespace, namespaceId: owner };
  const uses = new Uses(join(config.home, "sandbox-uses"));
  const ports = createPorts(config, log, { places, uses }, owner);
  // Those of another worker that lives here have their places there.
  if (!(await hasSibling(connection, namespace, home, log)))
    await adopt({ sandboxes: ports.sandboxes, places, uses, log });
  const activities = createActivities(ports, {
    settingsFor: (repository) => config.settingsFor(repository),
    linksFor: () => links(),
    secrets: config.secrets(),
    home,
    draining: draining.signal,
    triggers: config.triggers,
    installation,
    wrongClock: () => clock.wrong,
  });
  const common: Omit<WorkerOptions, "taskQueue"> = {
    connection,
    namespace: namespace,
    dataConverter: dataConverterFor(config),
    activities: { ...activities, ...createUpkeep(config, ports, installation) },
    // A beat every second is passed on every second: a cancellation comes back with it, and a dead worker is noticed by its absence.
    maxHeartbeatThrottleInterval: "1s",
    shutdownGraceTime: GRACE,
  };
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: TASK_QUEUE,
      workflowBundle: { codePath: bundle.codePath },
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
  const client = clientOver(connection, config);
  await ensureSchedules(client, config, log);
  const everyMs = config.upkeep.sandbox_minutes * 60_000;
  const idleMs = config.upkeep.idle_sandbox_minutes * 60_000;
  const { sandboxes, artifacts, mirror } = ports;
  const stopUpkeep = [
    startRounds({
      work: () => reap({ client, sandboxes, artifacts, uses, idleMs, log }),
      failed: "leftover sandboxes could not be looked for; tried again later",
      everyMs,
      log,
    }),
    startRounds({
      work: (signal) => removeLeftovers({ config, mirror, log }, signal),
      failed: "what killed processes have left could not be removed; tried again later",
      everyMs,
      log,
    }),
    startRounds({
      work: (signal) => tidyMirrors({ mirror, client, log }, signal),
      failed: "mirrors could not be tidied; tried again later",
      everyMs,
      log,
    }),
    startRounds({
      work: () =>
        makeRoom({ standingOf: (workflowId) => standingInTemporal(client, workflowId), sandboxes, places, uses, log }),
      failed: "no room could be made on a full worker; tried again in a moment",
      everyMs: CROWD_EVERY_MS,
      log,
    }),
  ];
  const ended = untilStopped(workers, connection);
  ended.catch(() => undefined);
  log.info(
    {
      taskQueue: TASK_QUEUE,
      home,
      runsAtOnce: places.limit,
      namespace: namespace,
      workflowBuild: bundle.buildId,
    },
    "worker started",
  );
  return {
    ended,
    async stop() {
      draining.abort();
      for (const stop of stopUpkeep) stop();
      const shared = hasSibling(connection, namespace, home, log);
      for (const worker of workers) if (worker.getState() === "RUNNING") worker.shutdown();
      await ended;
      // A second worker of this home goes on in them.
      if (!(await shared)) await closeSandboxes(ports.sandboxes, places, log);
      await ports.memory.close();
    },
  };
}

/** One that fails takes the others along: half a worker would leave runs waiting that nobody else takes. */
async function untilStopped(workers: readonly Worker[], connection: NativeConnection): Promise<void> {
  const stopOthers = (): void => {
    for (const worker of workers) if (worker.getState() === "RUNNING") worker.shutdown();
  };
  try {
    const running = workers.map((worker) => worker.run().finally(stopOthers));
    const ended = await Promise.allSettled(running);
    for (const each of ended) if (each.status === "rejected") throw each.reason;
  } finally {
    await connection.close();
  }
}

/** All in them is safe in the artifact store; whoever takes the runs over builds them anew, and none is left behind here. */
async function closeSandboxes(sandboxes: Sandboxes, places: Places, log: Log): Promise<void> {
  const closing = places.sandboxes.map(async (key) => {
    try {
      await sandboxes.close(key);
    } catch (error) {
      log.warn({ err: error, sandbox: key }, "a sandbox could not be closed; it is removed at the next start");
    }
  });
  await Promise.race([Promise.all(closing), sleep(CLOSING_MS, undefined, { ref: false })]);
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

function clientOver(connection: NativeConnection, config: Config): Client {
  return new Client({ connection, namespace: config.temporal.namespace, dataConverter: dataConverterFor(config) });
}

/** Without an API beside it a worker knows only the addresses that the settings tell. */
function linksOf({ publicUrl, temporal }: Config): ResolveIssueInput["links"] {
  return { page: publicUrl, webUi: temporal.webUi };
}
