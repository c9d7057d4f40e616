/** Makes a webhook delivery durable: from then on Temporal carries it, whatever happens to this process. */
import { WorkflowExecutionAlreadyStartedError, type Client } from "@temporalio/client";
import type { Delivery } from "../domain/events.ts";
import { deliveryWorkflowId } from "../domain/ids.ts";
import { HANDLE_DELIVERY, TASK_QUEUE, type HandleDeliveryInput } from "../workflows/messages.ts";
import { CALL_TIMEOUT_MS, callTemporal } from "./temporal.ts";

export interface Intake {
  /** Throws ServiceUnavailable within 8 s when Temporal does not answer. */
  accept(delivery: Delivery): Promise<"accepted" | "already-accepted">;
}

export function createIntake(client: Client, taskQueue = TASK_QUEUE): Intake {
  return {
    async accept(delivery) {
      const { guid, repository, intent } = delivery;
      const input: HandleDeliveryInput = { delivery };
      try {
        await callTemporal(client, "take in the delivery", CALL_TIMEOUT_MS, () =>
          client.workflow.start(HANDLE_DELIVERY, {
            workflowId: deliveryWorkflowId(guid),
            taskQueue,
            args: [input],
            workflowIdReusePolicy: "REJECT_DUPLICATE",
            workflowIdConflictPolicy: "USE_EXISTING",
            staticSummary: `${intent.kind} for ${repository}`,
          }),
        );
        return "accepted";
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return "already-accepted";
        throw error;
      }
    },
  };
}
