/** Whether the Schedules of upkeep are there and do what they should: for `/ready` and the doctor. */
import { type Client, ScheduleNotFoundError, WorkflowNotFoundError } from "@temporalio/client";
import type { Config } from "../config/config.ts";
import { type ReconcileReport, type ScheduleFacts, scheduleProblem } from "../domain/upkeep.ts";
import { scheduleId, UPKEEP } from "./schedules.ts";

/** One line for each that is missing, paused, late or failing. Throws what Temporal throws. */
export async function troubledSchedules(client: Client, config: Config, kinds = UPKEEP): Promise<string[]> {
  const looked = kinds.map(async (kind) => {
    const everyMs = kind.everyMinutes(config) * 60_000;
    // Turned off in the settings: a worker removes it.
    if (everyMs === 0) return [];
    const id = scheduleId(kind);
    const problem = scheduleProblem(await factsOf(client, id), everyMs, new Date());
    return problem === null ? [] : [`${id} ${problem}`];
  });
  return (await Promise.all(looked)).flat();
}

async function factsOf(client: Client, id: string): Promise<ScheduleFacts | null> {
  try {
    const { state, info } = await client.schedule.getHandle(id).describe();
    const newestFirst = info.recentActions.toReversed();
    return {
      paused: state.paused,
      madeAt: info.createdAt,
      lastStartedAt: newestFirst[0]?.takenAt ?? null,
      lastEnded: await lastEnded(
        client,
        newestFirst.map(({ action }) => action.workflow),
      ),
    };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}

/** One that runs now, or is forgotten, tells nothing: then the one before it does. */
async function lastEnded(
  client: Client,
  newestFirst: readonly { workflowId: string; firstExecutionRunId: string }[],
): Promise<ScheduleFacts["lastEnded"]> {
  for (const { workflowId, firstExecutionRunId } of newestFirst) {
    try {
      const handle = client.workflow.getHandle(workflowId, firstExecutionRunId);
      const { status } = await handle.describe();
      if (status.name === "RUNNING") continue;
      // Only the sweep tells of what it could do in part.
      const report = status.name === "COMPLETED" ? ((await handle.result()) as Partial<ReconcileReport> | null) : null;
      return { workflowId, status: status.name, ...(report?.failed ? { failed: report.failed } : {}) };
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
  return null;
}
