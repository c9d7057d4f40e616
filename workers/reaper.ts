/**
 * Removes the sandboxes of runs that have ended while nobody was there to close them: a worker killed, a run terminated. A loop
 * in each worker and no Schedule, because only this machine's engine and folders are looked at. While there are none it
 * costs one question to the engine.
 */
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { isLeftover, type RunState } from "../domain/leftovers.ts";
import type { Sandboxes } from "../domain/ports.ts";
import type { Log } from "./log.ts";
import type { Services } from "./temporal-namespace.ts";

export interface ReaperOptions {
  client: Client;
  sandboxes: Sandboxes;
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
export async function reap({ client, sandboxes, log }: Omit<ReaperOptions, "everyMs">): Promise<string[]> {
  const states = new Map<string, Promise<RunState>>();
  const removed: string[] = [];
  for (const sandbox of await sandboxes.known()) {
    const { key, workflowId } = sandbox;
    const asked = states.get(workflowId) ?? stateOf(client, workflowId);
    states.set(workflowId, asked);
    const state = await asked;
    if (!isLeftover(sandbox, state, Date.now())) continue;
    await sandboxes.close(key);
    log.info({ sandbox: key, run: workflowId, state }, "sandbox of a run that is over removed");
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
