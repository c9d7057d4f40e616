/**
 * Removes the sandboxes of runs that have ended while nobody was there to close them (a worker killed, a run terminated), and those
 * that a waiting run does not use. A loop
 * in each worker and no Schedule, because only this machine's engine and folders are looked at. While there are none it
 * costs one question to the engine.
 */
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { findJson, type RunNote, runNoteKey } from "../activities/artifacts.ts";
import { CannotDecrypt } from "../domain/errors.ts";
import { isIdle, isLeftover, type RunState } from "../domain/leftovers.ts";
import type { Artifacts, Sandboxes } from "../domain/ports.ts";
import { closeOrTell } from "./close-sandbox.ts";
import type { Log } from "./log.ts";
import type { Services } from "./temporal-namespace.ts";
import type { Uses } from "./uses.ts";

export interface ReaperOptions {
  client: Client;
  sandboxes: Sandboxes;
  /** Where runs say to which chain of executions they belong. */
  artifacts: Artifacts;
  uses: Uses;
  /** A sandbox that was not used for longer than this is removed; 0: never. */
  idleMs: number;
  log: Log;
}

/** Keys of the sandboxes that were removed. */
export async function reap({ client, sandboxes, artifacts, uses, idleMs, log }: ReaperOptions): Promise<string[]> {
  const states = new Map<string, Promise<RunState>>();
  const removed: string[] = [];
  const known = await sandboxes.known();
  for (const sandbox of known) {
    const { key, workflowId, runKey } = sandbox;
    const asked = states.get(workflowId) ?? stateOf(client, workflowId);
    states.set(workflowId, asked);
    const state = await asked;
    const over = isLeftover(sandbox, state, await firstRunOf(artifacts, runKey), Date.now());
    if (!over && !isIdle(await uses.lastUse(key), idleMs, Date.now())) continue;
    const failed = "a sandbox could not be removed; tried again later";
    if (!(await closeOrTell(sandboxes, { sandbox: key, run: workflowId }, failed, log))) continue;
    const why = over
      ? "sandbox of a run that is over removed"
      : "idle sandbox removed; it is built again when it is needed";
    log.info({ sandbox: key, run: workflowId, state: state.kind }, why);
    removed.push(key);
  }
  await uses.keepOnly(known.map(({ key }) => key));
  return removed;
}

/** null: the run has not said it, or not in a way that can be read here. */
async function firstRunOf(artifacts: Artifacts, runKey: string): Promise<string | null> {
  try {
    return (await findJson<RunNote>(artifacts, runNoteKey(runKey)))?.firstRunId ?? null;
  } catch (error) {
    if (error instanceof CannotDecrypt) return null;
    throw error;
  }
}

async function stateOf(client: Client, workflowId: string): Promise<RunState> {
  try {
    const { status, raw } = await client.workflow.getHandle(workflowId).describe();
    if (status.name !== "RUNNING") return { kind: "ended" };
    return { kind: "open", firstRunId: raw.workflowExecutionInfo?.firstRunId || null };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { kind: "unknown" };
    throw error;
  }
}

/** Marks what is ours on an engine that others use, too: the id that the Temporal server drew for our namespace. */
export async function ownerOfSandboxes(connection: Services, namespace: string): Promise<string> {
  const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
  return namespaceInfo?.id || namespace;
}
