/** Why a run that does not answer cannot go on: its workflow code fails, most likely since a change of version. */
import type { Client } from "@temporalio/client";
import { failureIn, nondeterminismIn, UNFIT_MEND } from "../domain/unfit.ts";
import type { Execution } from "./run-view.ts";

/** The failure is written down once, just before what the run hears while it waits. */
const LAST_EVENTS = 20;

/** null: the code is not the reason, as far as Temporal knows. `answer` is what came of asking the run. */
export async function whyUnfit(
  client: Client,
  { workflowId, runId, status }: Pick<Execution, "workflowId" | "runId" | "status">,
  answer: string,
): Promise<string | null> {
  const told = nondeterminismIn(answer);
  if (told !== null) return unfit(told);
  if (status.name !== "RUNNING") return null;
  const failure = await lastFailure(client, workflowId, runId);
  if (failure === null) return null;
  const found = nondeterminismIn(failure);
  return found === null
    ? `Its workflow code fails, and is tried again until it does not: ${failureIn(failure)}`
    : unfit(found);
}

function unfit(reason: string): string {
  return `This run does not fit the workflow code of the worker (${reason}). ${UNFIT_MEND}`;
}

/** Of the workflow task that is tried again and again; null where the last one was completed. */
async function lastFailure(client: Client, workflowId: string, runId: string): Promise<string | null> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: LAST_EVENTS,
  });
  for (const event of history?.events ?? []) {
    if (event.workflowTaskCompletedEventAttributes) return null;
    const failure = event.workflowTaskFailedEventAttributes?.failure;
    if (failure) return messageOf(client, failure);
  }
  return null;
}

type Failure = { message?: string | null; encodedAttributes?: Payload | null };
type Payload = Parameters<Client["options"]["loadedDataConverter"]["payloadConverter"]["fromPayload"]>[0];

/** Encrypted by a worker with a payload key, it stands beside the message. */
async function messageOf(client: Client, { message, encodedAttributes }: Failure): Promise<string> {
  if (!encodedAttributes) return message ?? "";
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  try {
    let payloads = [encodedAttributes];
    for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
    return payloadConverter.fromPayload<{ message?: string }>(payloads[0]!).message ?? message ?? "";
  } catch {
    // With a key that is not here: what can be said without it is.
    return message ?? "";
  }
}
