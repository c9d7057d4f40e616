/** The first part of the story: a webhook delivery is let in, or not, and reaches the run of its issue. */
import { log } from "@temporalio/workflow";
import { admitDelivery, signalRun, startForgetting, startRun, teach } from "./activities.ts";
import type { HandleDeliveryInput } from "./messages.ts";

/** Durable intake of one delivery. What it did is its result, visible in the Web UI. */
export async function handleDelivery({ delivery }: HandleDeliveryInput): Promise<string> {
  const admission = await admitDelivery({ delivery });
  switch (admission.kind) {
    case "ignore":
      log.info("delivery ignored", { delivery: delivery.guid, reason: admission.reason });
      return `ignored: ${admission.reason}`;
    case "start": {
      const { workflowId, started } = await startRun({ delivery });
      return started ? `started ${workflowId}` : `${workflowId} was started already`;
    }
    case "teach":
      await teach(admission.teaching);
      return `told the memory of ${admission.teaching.repository}`;
    case "forget":
      await startForgetting({ repositories: admission.repositories });
      return `forgetting ${admission.repositories.join(", ")}`;
    case "signal": {
      const { delivered } = await signalRun(admission);
      return delivered ? `told ${admission.workflowId}` : `${admission.workflowId} is not running`;
    }
  }
}
