/** A worker: it runs workflow code and activities until it is told to stop. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@temporalio/client";
import type { NativeConnection, WorkerOptions } from "@temporalio/worker";
import { createActivities } from "../activities/index.ts";
import type { Config } from "../config/config.ts";
import { homeQueue } from "../domain/ids.ts";
import type { Sandboxes } from "../domain/ports.ts";
import { type ResolveIssueInput, TASK_QUEUE } from "../workflows/messages.ts";
import { closeOrTell } from "./close-sandbox.ts";
import { adopt } from "./adopt.ts";
import { clock } from "./clock.ts";
import { hasSibling, homeId } from "./home.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { installTemporalLog, type Log } from "./log.ts";
import { dataConverterFor, failureConverterFor } from "./payloads/data-converter.ts";
import { Places } from "./places.ts";
import { createPorts } from "./ports.ts";
import { shutDown, takeQueues, untilStopped } from "./queues.ts";
import { reachTemporal } from "./reach.ts";
import { ownerOfSandboxes } from "./reaper.ts";
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
    namespace,
    dataConverter: dataConverterFor(config),
    activities: { ...activities, ...createUpkeep(config, ports, installation) },
    // A beat every second is passed on every second: a cancellation comes back with it, and a dead worker is noticed by its absence.
    maxHeartbeatThrottleInterval: "1s",
    shutdownGraceTime: GRACE,
  };
  const workers = await takeQueues({ common, codePath: bundle.codePath, places, home });
  const client = clientOver(connection, config);
  await ensureSchedules(client, config, log);
  const stopHousekeeping = startHousekeeping({ config, ports, client, places, uses, log });
  const ended = untilStopped(workers, connection);
  ended.catch(() => undefined);
  log.info(
    {
      taskQueue: TASK_QUEUE,
      home,
      runsAtOnce: places.limit,
      namespace,
      workflowBuild: bundle.buildId,
    },
    "worker started",
  );
  return {
    ended,
    async stop() {
      draining.abort();
      stopHousekeeping();
      const shared = hasSibling(connection, namespace, home, log);
      shutDown(workers);
      // Why it failed is told by `ended`; what is left is put away all the same.
      await ended.catch(() => undefined);
      // A second worker of this home goes on in them.
      if (!(await shared)) await closeSandboxes(ports.sandboxes, places, log);
      await ports.memory.close();
    },
  };
}

/** All in them is safe in the artifact store; whoever takes the runs over builds them anew, and none is left behind here. */
async function closeSandboxes(sandboxes: Sandboxes, places: Places, log: Log): Promise<void> {
  const failed = "a sandbox could not be closed; it is removed at the next start";
  const closing = places.sandboxes.map((sandbox) => closeOrTell(sandboxes, { sandbox }, failed, log));
  await Promise.race([Promise.all(closing), sleep(CLOSING_MS, undefined, { ref: false })]);
}

function clientOver(connection: NativeConnection, config: Config): Client {
  return new Client({ connection, namespace: config.temporal.namespace, dataConverter: dataConverterFor(config) });
}

/** Without an API beside it a worker knows only the addresses that the settings tell. */
function linksOf({ publicUrl, temporal }: Config): ResolveIssueInput["links"] {
  return { page: publicUrl, webUi: temporal.webUi };
}
