/** Makes a webhook delivery durable: from then on Temporal carries it, whatever happens to this process. */
import { WorkflowExecutionAlreadyStartedError, type Client } from "@temporalio/client";
import type { Delivery } from "../domain/events.ts";
import { deliveryStart, HANDLE_DELIVERY, TASK_QUEUE } from "../workflows/messages.ts";
import { CALL_TIMEOUT_MS, callTemporal } from "./temporal.ts";

export interface Intake {
  /** Throws ServiceUnavailable within 8 s when Temporal does not answer. */
  accept(delivery: Delivery): Promise<"accepted" | "already-accepted">;
}

export function createIntake(client: Client, taskQueue = TASK_QUEUE): Intake {
  return {
    async accept(delivery) {
      try {
        await callTemporal(client, "take in the delivery", CALL_TIMEOUT_MS, () =>
          client.workflow.start(HANDLE_DELIVERY, deliveryStart(delivery, taskQueue)),
        );
        return "accepted";
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return "already-accepted";
        throw error;
      }
    },
  };
}
