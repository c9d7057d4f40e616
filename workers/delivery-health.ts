/** Whether what GitHub was told is taken was let in: for `/ready` and the doctor. */
import type { Client } from "@temporalio/client";
import { failedDeliveries, whyFailed } from "../activities/failed-deliveries.ts";
import { tellFailedDeliveries } from "../domain/failed-deliveries.ts";
import { HANDLE_DELIVERY } from "../workflows/messages.ts";

/** Each costs a question or two; who reads of so many needs no exact number. */
const MAX_COUNTED = 20;
/** One that is let in takes seconds. */
const LONG_MS = 60_000;

/** Null: all were let in. Throws what Temporal throws. */
export async function troubledDeliveries(client: Client, now = new Date()): Promise<string | null> {
  const failed = await failedDeliveries(client, now, MAX_COUNTED);
  const told = tellFailedDeliveries(failed, failed[0] ? await whyFailed(client, failed[0]) : null);
  const before = new Date(now.getTime() - LONG_MS).toISOString();
  const { count } = await client.workflow.count(
    `WorkflowType = '${HANDLE_DELIVERY}' AND ExecutionStatus = 'Running' AND StartTime < '${before}'`,
  );
  const waiting = count === 0 ? null : `${count} wait to be let in: a key is refused, or GitHub or a worker is away`;
  const both = [told, waiting].filter((each) => each !== null);
  return both.length === 0 ? null : both.join("; ");
}
