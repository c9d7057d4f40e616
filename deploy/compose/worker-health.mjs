/**
 * Is the worker of this container taking work? Asks Temporal who has lately asked for activities on the task queue: a
 * worker that lives and hangs is not among them. Exit code 0 for yes, 1 with the reason on standard error for no.
 */
import { hostname } from "node:os";
import { Connection } from "@temporalio/client";
import { processEnvironment } from "../../dist/config/environment.js";
import { loadConfig } from "../../dist/config/load.js";
import { connectionOptions } from "../../dist/workers/connect.js";
import { TASK_QUEUE } from "../../dist/workflows/messages.js";

/** Of `enums.v1.TaskQueueType`. */
const ACTIVITY_QUEUE = 2;
/** A worker asks at least once a minute; Temporal remembers those that have stopped for five. */
const SILENT_S = 100;

try {
  const config = loadConfig({ env: processEnvironment(), cwd: process.cwd() });
  const connection = await Connection.connect({ ...connectionOptions(config), connectTimeout: 5_000 });
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace: config.temporal.namespace,
    taskQueue: { name: TASK_QUEUE },
    taskQueueType: ACTIVITY_QUEUE,
  });
  await connection.close();
  const ours = (pollers ?? []).filter(({ identity }) => identity?.endsWith(`@${hostname()}`));
  if (!ours.some(({ lastAccessTime }) => Date.now() / 1000 - Number(lastAccessTime?.seconds ?? 0) < SILENT_S)) {
    throw new Error(`no worker of ${hostname()} asks for work on the task queue ${TASK_QUEUE}`);
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
