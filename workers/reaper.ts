/**
 * Removes the sandboxes of runs that have ended while nobody was there to close them (a worker killed, a run terminated), and those
 * that a waiting run does not use. A loop
 * in each worker and no Schedule, because only this machine's engine and folders are looked at. While there are none it
 * costs one question to the engine.
 */
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { isIdle, isLeftover, type RunState } from "../domain/leftovers.ts";
import type { Sandboxes } from "../domain/ports.ts";
import type { Log } from "./log.ts";
import type { Services } from "./temporal-namespace.ts";
import type { Uses } from "./uses.ts";

export interface ReaperOptions {
  client: Client;
  sandboxes: Sandboxes;
  uses: Uses;
  /** A sandbox that was not used for longer than this is removed; 0: never. */
  idleMs: number;
  /** 0: only once. */
  everyMs: number;
  log: Log;
}

/** Begins at once. Returns how to stop it. */
export function startReaper(options: ReaperOptions): () => void {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const round = async (): Promise<void> => {
    await reap(options).catch((error: unknown) => {
      options.log.warn({ err: error }, "leftover sandboxes could not be looked for; tried again later");
    });
    if (stopped || options.everyMs === 0) return;
    timer = setTimeout(() => void round(), options.everyMs);
    timer.unref();
  };
  void round();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Keys of the sandboxes that were removed. */
export async function reap({
  client,
  sandboxes,
  uses,
  idleMs,
  log,
}: Omit<ReaperOptions, "everyMs">): Promise<string[]> {
  const states = new Map<string, Promise<RunState>>();
  const removed: string[] = [];
  for (const sandbox of await sandboxes.known()) {
    const { key, workflowId } = sandbox;
    const asked = states.get(workflowId) ?? stateOf(client, workflowId);
    states.set(workflowId, asked);
    const state = await asked;
    const over = isLeftover(sandbox, state, Date.now());
    if (!over && !isIdle(await uses.lastUse(key), idleMs, Date.now())) continue;
    await sandboxes.close(key);
    const why = over
      ? "sandbox of a run that is over removed"
      : "idle sandbox removed; it is built again when it is needed";
    log.info({ sandbox: key, run: workflowId, state }, why);
    removed.push(key);
  }
  return removed;
}

async function stateOf(client: Client, workflowId: string): Promise<RunState> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === "RUNNING" ? "open" : "ended";
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return "unknown";
    throw error;
  }
}

/** Marks what is ours on an engine that others use, too: the id that the Temporal server drew for our namespace. */
export async function ownerOfSandboxes(connection: Services, namespace: string): Promise<string> {
  const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
  return namespaceInfo?.id || namespace;
}
