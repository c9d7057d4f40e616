/**
 * While every place of this worker is taken, runs that wait for people or checks give theirs to runs that could work: their
 * sandboxes are removed at once, and not after the setting, and built again when they are needed.
 */
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { makesRoom } from "../domain/leftovers.ts";
import type { Sandboxes } from "../domain/ports.ts";
import { phaseAttribute } from "../workflows/search-attributes.ts";
import type { Log } from "./log.ts";
import type { Places } from "./places.ts";
import type { Uses } from "./uses.ts";

export interface CrowdOptions {
  /** The phase that a run shows; undefined: it shows none. */
  phaseOf: (workflowId: string) => Promise<string | undefined>;
  sandboxes: Sandboxes;
  places: Places;
  uses: Uses;
  log: Log;
}

/** How soon room is made: a run of minutes loses little by it, and a full worker asks Temporal once for each of its runs. */
const EVERY_MS = 5_000;

/** Returns how to stop it. */
export function watchCrowd(options: CrowdOptions): () => void {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const round = async (): Promise<void> => {
    await makeRoom(options).catch((error: unknown) => {
      options.log.warn({ err: error }, "no room could be made on a full worker; tried again in a moment");
    });
    if (!stopped) timer = setTimeout(() => void round(), EVERY_MS).unref();
  };
  void round();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** Keys of the sandboxes that were removed. */
export async function makeRoom({ phaseOf, sandboxes, places, uses, log }: CrowdOptions): Promise<string[]> {
  if (!places.full) return [];
  const here = new Set(places.sandboxes);
  const phases = new Map<string, Promise<string | undefined>>();
  const removed: string[] = [];
  for (const { key, workflowId } of await sandboxes.known()) {
    if (!here.has(key)) continue;
    const asked = phases.get(workflowId) ?? phaseOf(workflowId);
    phases.set(workflowId, asked);
    const phase = await asked;
    if (!makesRoom(phase, await uses.lastUse(key), Date.now())) continue;
    await sandboxes.close(key);
    log.info({ sandbox: key, run: workflowId, phase }, "sandbox of a run that waits removed, to make room for others");
    removed.push(key);
  }
  return removed;
}

export async function phaseInTemporal(client: Client, workflowId: string): Promise<string | undefined> {
  try {
    const { typedSearchAttributes } = await client.workflow.getHandle(workflowId).describe();
    return typedSearchAttributes.get(phaseAttribute);
  } catch (error) {
    // The reaper removes what has no run any more.
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
