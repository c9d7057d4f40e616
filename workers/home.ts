/** This worker's home: workers that share a machine, a state directory and an engine share their sandboxes. */
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { Connection } from "@temporalio/client";
import type { temporal } from "@temporalio/proto";
import type { Config } from "../config/config.ts";
import type { Log } from "./log.ts";

/** The same after every restart, so that a run finds its sandboxes again. */
export function homeId({ home, execution }: Pick<Config, "home" | "execution">, host: string = hostname()): string {
  const parts = [host, home, execution.mode, execution.mode === "docker" ? (execution.dockerHost ?? "") : ""];
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 8);
  const readable = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, "-")
    .slice(0, 40);
  return `${readable}-${digest}`;
}

type Poller = Pick<temporal.api.taskqueue.v1.IPollerInfo, "identity" | "lastAccessTime">;

/** A poll lasts a minute at most: who polls is seen again within this. */
const SEEN_WITHIN_MS = 70_000;
const ASKED_WITHIN_MS = 3_000;

/** Whether another worker lives in this home. Where that cannot be asked none is assumed: its runs are built again elsewhere. */
export async function hasSibling(
  connection: Pick<Connection, "workflowService" | "withDeadline">,
  namespace: string,
  home: string,
  log: Log,
): Promise<boolean> {
  try {
    const { pollers } = await connection.withDeadline(Date.now() + ASKED_WITHIN_MS, () =>
      connection.workflowService.describeTaskQueue({ namespace, taskQueue: { name: home }, taskQueueType: ACTIVITIES }),
    );
    return (pollers ?? []).some((poller) => isSibling(poller, { host: hostname(), pid: process.pid, now: Date.now() }));
  } catch (error) {
    log.warn({ err: error, home }, "it could not be asked whether another worker lives in this home");
    return false;
  }
}

/** `TASK_QUEUE_TYPE_ACTIVITY` */
const ACTIVITIES = 2;

/** Temporal's SDK names a worker PID@HOST. One of this machine that died may have been seen a moment ago. */
export function isSibling(
  { identity, lastAccessTime }: Poller,
  here: { host: string; pid: number; now: number },
  lives: (pid: number) => boolean = isAlive,
): boolean {
  const [, pid, host] = /^(\d+)@(.*)$/.exec(identity ?? "") ?? [];
  if (host === here.host) return Number(pid) !== here.pid && lives(Number(pid));
  return here.now - Number(lastAccessTime?.seconds ?? 0) * 1000 < SEEN_WITHIN_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is another user's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
