/** The first part of the story: a webhook delivery is let in, or not, and reaches the run of its issue. */
import { ActivityFailure, ApplicationFailure, log, setCurrentDetails, sleep } from "@temporalio/workflow";
import { waitToLetIn } from "../domain/failed-deliveries.ts";
import { admitDelivery, signalRun, startForgetting, startMoving, startRun, teach } from "./activities.ts";
import type { HandleDeliveryInput } from "./messages.ts";
import { reasonOf } from "./parked.ts";

/** Durable intake of one delivery. What it did is its result, visible in the Web UI. */
export async function handleDelivery({ delivery }: HandleDeliveryInput): Promise<string> {
  const admission = await letIn(delivery, () => admitDelivery({ delivery }));
  switch (admission.kind) {
    case "ignore":
      log.info("delivery ignored", { delivery: delivery.guid, reason: admission.reason });
      return `ignored: ${admission.reason}`;
    case "start": {
      const { workflowId, started } = await letIn(delivery, () => startRun({ delivery }));
      return started ? `started ${workflowId}` : `${workflowId} was started already`;
    }
    case "teach":
      await teach(admission.teaching);
      return `told the memory of ${admission.teaching.repository}`;
    case "forget":
      await startForgetting({ repositories: admission.repositories, at: new Date().toISOString() });
      return `forgetting ${admission.repositories.join(", ")}`;
    case "rename": {
      const { from, to, since } = admission;
      await startMoving({ from, to, since, at: new Date().toISOString() });
      return `moving what is known of ${from} to ${to}`;
    }
    case "signal": {
      const { delivered } = await letIn(delivery, () => signalRun(admission));
      return delivered ? `told ${admission.workflowId}` : `${admission.workflowId} is not running`;
    }
  }
}

/**
 * GitHub has our word (202) that it is taken, and does not send it again. So what an operator must mend is waited for, within the hour
 * after it came; then it fails in sight of everybody, and the sweep tries it again from time to time.
 */
async function letIn<T>({ at }: HandleDeliveryInput["delivery"], step: () => Promise<T>): Promise<T> {
  for (let round = 0; ; round += 1) {
    try {
      return await step();
    } catch (error) {
      const waitMs = isForOperator(error) ? waitToLetIn(round, Date.now() - Date.parse(at)) : null;
      if (waitMs === null) throw error;
      setCurrentDetails(`Not let in yet: ${reasonOf(error)}`);
      log.warn("a delivery waits to be let in", { reason: reasonOf(error), waitMs });
      await sleep(waitMs);
    }
  }
}

function isForOperator(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : null;
  return cause instanceof ApplicationFailure && (cause.type === "AccessDenied" || cause.type === "ConfigurationError");
}
