/**
 * The Schedules by which Temporal starts our upkeep. One more kind is a workflow in `workflows/upkeep.ts` and an entry below;
 * the Web UI shows under Schedules when each ran and, as the result of its workflow, what it did.
 */
import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from "@temporalio/client";
import type { Config } from "../config/config.ts";
import { TASK_QUEUE } from "../workflows/messages.ts";
import type { Log } from "./log.ts";

export interface UpkeepKind {
  /** The workflow type; the schedule is `upkeep/TYPE`. */
  workflow: string;
  /** One line for the Web UI. */
  summary: string;
  /** 0: never, and a schedule that is there is removed. */
  everyMinutes(config: Config): number;
}

export const UPKEEP: readonly UpkeepKind[] = [
  {
    workflow: "reconcile",
    summary: "looks on GitHub for what webhooks did not bring",
    everyMinutes: ({ upkeep }) => upkeep.reconcile_minutes,
  },
  {
    workflow: "retention",
    summary: "removes what runs have stored some time after they ended",
    // Four times in the time that is set, and at least four times a day.
    everyMinutes: ({ artifactsDays }) => Math.min(6 * 60, (artifactsDays * 24 * 60) / 4),
  },
  {
    workflow: "memoryRetention",
    summary: "forgets memories that are past their time",
    everyMinutes: ({ upkeep }) => upkeep.memory_minutes,
  },
];

export function scheduleId(kind: UpkeepKind): string {
  return `upkeep/${kind.workflow}`;
}

/** What was missed while Temporal itself was away is not made up for: each upkeep looks back by itself. */
const CATCH_UP_MS = 60_000;
/** A worker that hangs must not keep the next one from starting for ever. */
const MAX_RUN_MS = 2 * 60 * 60_000;

/**
 * Makes each schedule as the settings have it, changes one that differs, and lets it begin at once: a worker that starts
 * may have been away. Safe from several workers at the same time; the settings of the last one that starts hold. A
 * server without Schedules, or an account that may not make them, is told in the log and stops nothing.
 */
export async function ensureSchedules(client: Client, config: Config, log: Log, kinds = UPKEEP): Promise<void> {
  for (const kind of kinds) {
    try {
      const done = await ensure(client, kind, kind.everyMinutes(config) * 60_000);
      if (done !== "as-it-was") log.info({ schedule: scheduleId(kind) }, `schedule ${done}`);
    } catch (error) {
      const said = (error as { details?: string }).details || (error as Error).message;
      log.warn(
        { schedule: scheduleId(kind), reason: said },
        `the schedule could not be made or changed, so nothing ${kind.summary} unless it is there already`,
      );
    }
  }
}

async function ensure(
  client: Client,
  kind: UpkeepKind,
  everyMs: number,
): Promise<"made" | "changed" | "removed" | "as-it-was"> {
  const handle = client.schedule.getHandle(scheduleId(kind));
  if (everyMs === 0) {
    const gone = (error: unknown): boolean => {
      if (error instanceof ScheduleNotFoundError) return true;
      throw error;
    };
    return (await handle.delete().then(() => false, gone)) ? "as-it-was" : "removed";
  }
  const wanted = {
    spec: { intervals: [{ every: everyMs }] },
    // Without arguments or summary: they would be encrypted, and could not be changed once their key is given up.
    action: {
      type: "startWorkflow" as const,
      workflowType: kind.workflow,
      workflowId: scheduleId(kind),
      taskQueue: TASK_QUEUE,
      args: [],
      workflowRunTimeout: MAX_RUN_MS,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP_MS },
  };
  try {
    await client.schedule.create({
      scheduleId: scheduleId(kind),
      ...wanted,
      state: { triggerImmediately: true, note: `Mergewright ${kind.summary}` },
    });
    return "made";
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const known = await handle.describe();
  const fits = isAs(known, everyMs, kind.workflow);
  if (!fits) await handle.update(({ state }) => ({ ...wanted, state }));
  // Somebody who paused it wants no sweep.
  if (!known.state.paused) await handle.trigger(ScheduleOverlapPolicy.SKIP);
  return fits ? "as-it-was" : "changed";
}

function isAs({ spec, action, policies }: ScheduleDescription, everyMs: number, workflow: string): boolean {
  return (
    spec.intervals?.length === 1 &&
    spec.intervals[0]!.every === everyMs &&
    action.workflowType === workflow &&
    action.taskQueue === TASK_QUEUE &&
    policies.overlap === ScheduleOverlapPolicy.SKIP &&
    policies.catchupWindow === CATCH_UP_MS
  );
}
