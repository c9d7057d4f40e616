/** Whether this process can do its work: Temporal is a must, everything else is told. */
import type { Client } from "@temporalio/client";
import { TASK_QUEUE } from "../workflows/messages.ts";
import { callTemporal, reasonOf } from "./temporal.ts";

export interface ReadyReport {
  ready: boolean;
  /** `ok`, or what is wrong, by part. */
  parts: Record<string, string>;
  /** Names of the parts without which we still work, but less well. */
  degraded: string[];
}

/** A part that may be missing; `check` throws, or answers with what is wrong, or with null. */
export interface Part {
  name: string;
  check: (signal: AbortSignal) => Promise<string | null>;
}

export type Readiness = () => Promise<ReadyReport>;

const CHECK_TIMEOUT_MS = 3_000;
/** Of `enums.v1.TaskQueueType`. */
const WORKFLOW_TASK_QUEUE = 1;

export function createReadiness(client: Client, parts: readonly Part[] = [], taskQueue = TASK_QUEUE): Readiness {
  const { namespace } = client.options;
  const temporal = async (): Promise<null> => {
    await callTemporal(client, "describe its namespace", CHECK_TIMEOUT_MS, () =>
      client.workflowService.describeNamespace({ namespace }),
    );
    return null;
  };
  const worker = async (): Promise<string | null> => {
    const { pollers } = await callTemporal(client, "describe the task queue", CHECK_TIMEOUT_MS, () =>
      client.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
        taskQueueType: WORKFLOW_TASK_QUEUE,
      }),
    );
    return pollers?.length ? null : "no worker has asked for work lately; runs wait until one starts";
  };

  const look = async (): Promise<ReadyReport> => {
    const optional: Part[] = [{ name: "worker", check: worker }, ...parts];
    const [must, ...others] = await Promise.all([temporal, ...optional.map((part) => part.check)].map(checked));
    const told = optional.map((part, index) => [part.name, others[index] ?? null] as const);
    return {
      ready: must === null,
      parts: Object.fromEntries([["temporal", must ?? "ok"], ...told.map(([name, wrong]) => [name, wrong ?? "ok"])]),
      degraded: told.flatMap(([name, wrong]) => (wrong === null ? [] : [name])),
    };
  };

  // Anybody may ask this, so those who ask at the same time share one look.
  let looking: Promise<ReadyReport> | null = null;
  return () => {
    looking ??= look().finally(() => {
      looking = null;
    });
    return looking;
  };
}

async function checked(check: Part["check"]): Promise<string | null> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  const late = new Promise<string>((resolve) => {
    signal.addEventListener("abort", () => resolve(`no answer within ${CHECK_TIMEOUT_MS / 1000} s`), { once: true });
  });
  try {
    return await Promise.race([check(signal), late]);
  } catch (error) {
    return reasonOf(error);
  }
}
