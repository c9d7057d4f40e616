/** Deliveries that failed after GitHub had our word for them: found in Temporal, and tried again from what they began with. */
import { Context, log } from "@temporalio/activity";
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { type FailedDelivery, isDueAgain, isGivenUp } from "../domain/failed-deliveries.ts";
import { FIRST_SWEEP_MS } from "../domain/upkeep.ts";
import { HANDLE_DELIVERY } from "../workflows/messages.ts";
import { working } from "./temporal.ts";
import type { UpkeepActivities } from "./upkeep.ts";

/** More have one reason, and the next sweep takes the rest. */
const MAX_DELIVERIES = 200;

export function createDeliveriesAgain(): Pick<UpkeepActivities, "tryDeliveriesAgain"> {
  return {
    tryDeliveriesAgain: ({ now }) =>
      working(async ({ signal }) => {
        const { client } = Context.current();
        let tried = 0;
        for (const failed of await failedDeliveries(client, new Date(now), MAX_DELIVERIES)) {
          signal.throwIfAborted();
          if (!isDueAgain(failed, new Date(now))) continue;
          if (!(await beginAgain(client, failed))) continue;
          log.info("a delivery that failed is tried again", { delivery: failed.workflowId, failures: failed.failures });
          tried += 1;
        }
        return tried;
      }),
  };
}

/** Those of the last days that are not done by now, the newest failure first; at most `limit`. */
export async function failedDeliveries(client: Client, now: Date, limit: number): Promise<FailedDelivery[]> {
  const from = new Date(now.getTime() - FIRST_SWEEP_MS).toISOString();
  const query = `WorkflowType = '${HANDLE_DELIVERY}' AND ExecutionStatus IN ('Failed', 'TimedOut') AND CloseTime > '${from}'`;
  const failures = new Map<string, number>();
  for await (const { workflowId } of client.workflow.list({ query }))
    failures.set(workflowId, (failures.get(workflowId) ?? 0) + 1);
  const found: FailedDelivery[] = [];
  for (const [workflowId, times] of failures) {
    const failed = await stillFailed(client, workflowId, times);
    if (failed !== null && !isGivenUp(failed, now)) found.push(failed);
    if (found.length === limit) break;
  }
  return found.toSorted((a, b) => b.failedAt.getTime() - a.failedAt.getTime());
}

/** null: it was done since, is at it again, or an operator has ended it. */
async function stillFailed(client: Client, workflowId: string, failures: number): Promise<FailedDelivery | null> {
  try {
    const newest = await client.workflow.getHandle(workflowId).describe();
    if (newest.status.name !== "FAILED" && newest.status.name !== "TIMED_OUT") return null;
    const firstRunId = newest.raw.workflowExecutionInfo?.firstRunId || newest.runId;
    const since =
      firstRunId === newest.runId ? newest.startTime : await startOf(client, workflowId, firstRunId, newest.startTime);
    return { workflowId, runId: newest.runId, since, failedAt: newest.closeTime ?? newest.startTime, failures };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

async function startOf(client: Client, workflowId: string, runId: string, otherwise: Date): Promise<Date> {
  try {
    return (await client.workflow.getHandle(workflowId, runId).describe()).startTime;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return otherwise;
    throw error;
  }
}

/**
 * Temporal's reset to the moment before anything was decided: the same id, the same delivery. False: it had not come as far as that,
 * so that there is nothing to go back to.
 */
async function beginAgain(client: Client, { workflowId, runId }: FailedDelivery): Promise<boolean> {
  const { namespace } = client.options;
  const execution = { workflowId, runId };
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution,
    maximumPageSize: 10,
  });
  const decided = history?.events?.find((event) => event.workflowTaskCompletedEventAttributes);
  if (!decided) return false;
  await client.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: execution,
    workflowTaskFinishEventId: decided.eventId ?? null,
    reason: "not let in before: tried again by the sweep",
    // Asked for twice it is done once.
    requestId: `again-${runId}`,
  });
  return true;
}

/** Why the newest execution of a delivery failed, in its own words. */
export async function whyFailed(client: Client, { workflowId, runId }: FailedDelivery): Promise<string> {
  try {
    await client.workflow.getHandle(workflowId, runId, { followRuns: false }).result();
    return "no reason was told";
  } catch (error) {
    return innermost(error);
  }
}

function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? innermost(error.cause) : error.message;
}
