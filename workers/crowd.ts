/**
 * While every place of this worker is taken, runs that cannot use theirs give them to runs that could work: those that wait for
 * people or checks, and those that have left this worker and stand in line themselves. Their sandboxes are removed at
 * once, and not after the setting, and built again when they are needed.
 */
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { sandboxQueue } from "../domain/ids.ts";
import { makesRoom, type Standing, standsInLine } from "../domain/leftovers.ts";
import type { Sandboxes } from "../domain/ports.ts";
import { TASK_QUEUE } from "../workflows/messages.ts";
import { phaseAttribute } from "../workflows/search-attributes.ts";
import { closeOrTell } from "./close-sandbox.ts";
import type { Log } from "./log.ts";
import type { Places } from "./places.ts";
import type { Uses } from "./uses.ts";

export interface CrowdOptions {
  standingOf: (workflowId: string) => Promise<Standing>;
  sandboxes: Sandboxes;
  places: Places;
  uses: Uses;
  log: Log;
}

/** How soon room is made: a run of minutes loses little by it, and a full worker asks Temporal once for each of its runs. */
export const CROWD_EVERY_MS = 5_000;

/** Keys of the sandboxes that were removed. */
export async function makeRoom({ standingOf, sandboxes, places, uses, log }: CrowdOptions): Promise<string[]> {
  if (!places.full) return [];
  const before = places.sandboxes;
  const known = await sandboxes.known();
  // Somebody else removed it: another worker of this home, or a person.
  for (const key of before) if (!known.some((sandbox) => sandbox.key === key)) places.leave(key);
  const standings = new Map<string, Promise<Standing>>();
  const removed: string[] = [];
  for (const { key, workflowId } of known) {
    if (!before.includes(key)) continue;
    const asked = standings.get(workflowId) ?? standingOf(workflowId);
    standings.set(workflowId, asked);
    const standing = await asked;
    if (!makesRoom(standing, await uses.lastUse(key), Date.now())) continue;
    const failed = "a sandbox could not be removed; tried again in a moment";
    if (!(await closeOrTell(sandboxes, { sandbox: key, run: workflowId }, failed, log))) continue;
    log.info(
      { sandbox: key, run: workflowId, ...standing },
      "sandbox of a run that cannot use it removed, to make room",
    );
    removed.push(key);
  }
  return removed;
}

/** Of the run and of its agents, whose steps are its own. */
export async function standingInTemporal(client: Client, workflowId: string): Promise<Standing> {
  try {
    const { typedSearchAttributes, raw } = await client.workflow.getHandle(workflowId).describe();
    const agents = await Promise.all(
      (raw.pendingChildren ?? []).map((child) => standingInTemporal(client, child.workflowId!)),
    );
    const steps = (raw.pendingActivities ?? []).map(({ state, activityOptions }) => ({
      waits: state === SCHEDULED,
      queue: activityOptions?.taskQueue?.name || null,
    }));
    return {
      phase: typedSearchAttributes.get(phaseAttribute),
      inLine: standsInLine(steps, LINE) || agents.some(({ inLine }) => inLine),
    };
  } catch (error) {
    // The reaper removes what has no run any more.
    if (error instanceof WorkflowNotFoundError) return { phase: undefined, inLine: false };
    throw error;
  }
}

/** `PENDING_ACTIVITY_STATE_SCHEDULED`: no worker has it. */
const SCHEDULED = 1;
const LINE = sandboxQueue(TASK_QUEUE);
