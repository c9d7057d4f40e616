/** A worker: it runs workflow code and activities until it is told to stop. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NativeConnection, Worker } from "@temporalio/worker";
import { createActivities } from "../activities/index.ts";
import type { Config } from "../config/config.ts";
import { type ResolveIssueInput, TASK_QUEUE } from "../workflows/messages.ts";
import { connectionOptions } from "./connect.ts";
import { installTemporalLog, type Log } from "./log.ts";
import { createPorts } from "./ports.ts";
import { ensureSearchAttributes } from "./search-attributes.ts";
import { workflowBundle } from "./workflow-bundle.ts";

export interface Running {
  /** Stops taking work, lets what runs finish within the grace time, and ends. */
  stop(): Promise<void>;
  /** Settles when it has ended; rejects when it failed. */
  ended: Promise<void>;
}

/** Calls to Claude and commands in sandboxes weigh more than threads do: this many at once on one worker. */
const ACTIVITIES_AT_ONCE = 16;

export async function startWorker(
  config: Config,
  log: Log,
  links: () => ResolveIssueInput["links"] = () => linksOf(config),
): Promise<Running> {
  installTemporalLog(log);
  if (config.payloadKey !== null) {
    log.warn("MERGEWRIGHT_PAYLOAD_KEY is set, but payloads are not encrypted in this version");
  }
  const [connection, bundle] = await Promise.all([
    NativeConnection.connect(connectionOptions(config)),
    workflowBundle(bundleCache),
  ]);
  await ensureSearchAttributes(connection, config.temporal.namespace, log);
  const activities = createActivities(createPorts(config, log), {
    settingsFor: (repository) => config.settingsFor(repository),
    linksFor: () => links(),
    secrets: config.secrets(),
  });
  const worker = await Worker.create({
    connection,
    namespace: config.temporal.namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: { codePath: bundle.codePath },
    activities,
    maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
    // A beat every second is passed on every second: a cancellation comes back with it, and a dead worker is noticed by its absence.
    maxHeartbeatThrottleInterval: "1s",
    // The runs that a dead worker had in its memory go to another after this, and not after 10 s. One that is merely busy costs a replay.
    stickyQueueScheduleToStartTimeout: "2s",
    shutdownGraceTime: "10s",
  });
  const ended = untilStopped(worker, connection);
  ended.catch(() => undefined);
  log.info(
    { taskQueue: TASK_QUEUE, namespace: config.temporal.namespace, workflowBuild: bundle.buildId },
    "worker started",
  );
  return {
    ended,
    async stop() {
      if (worker.getState() === "RUNNING") worker.shutdown();
      await ended;
    },
  };
}

async function untilStopped(worker: Worker, connection: NativeConnection): Promise<void> {
  try {
    await worker.run();
  } finally {
    await connection.close();
  }
}

const bundleCache = join(fileURLToPath(new URL("../", import.meta.url)), "node_modules", ".cache", "mergewright");

/** Without an API beside it a worker knows only the addresses that the settings tell. */
function linksOf({ publicUrl, temporal }: Config): ResolveIssueInput["links"] {
  return { page: publicUrl, webUi: temporal.webUi };
}
