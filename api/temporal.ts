/** Calls to Temporal that end in time, and one error for all the ways in which it does not answer. */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from "@temporalio/client";
import { ServiceUnavailable } from "../domain/errors.ts";

/** GitHub waits 10 s for the answer to a webhook; this leaves room to say that Temporal did not answer. */
export const CALL_TIMEOUT_MS = 8_000;

/**
 * Makes one call with a time limit. Facts (not found, already started, update refused) come through as they are;
 * everything else becomes ServiceUnavailable.
 */
export async function callTemporal<T>(
  client: Client,
  what: string,
  timeoutMs: number,
  call: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  // The SDK's deadline ends each request, but not the connecting before it, so there is a second one around both.
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
  });
  const request = client.withDeadline(Date.now() + timeoutMs, call);
  try {
    return await Promise.race([request, limit]);
  } catch (error) {
    // The request that lost the race ends by itself later; nobody listens to it any more.
    request.catch(() => undefined);
    if (isFact(error)) throw error;
    throw new ServiceUnavailable("Temporal", `Temporal did not ${what}: ${adviceOn(reasonOf(error))}`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

function isFact(error: unknown): boolean {
  return (
    error instanceof WorkflowNotFoundError ||
    error instanceof WorkflowExecutionAlreadyStartedError ||
    error instanceof WorkflowUpdateFailedError
  );
}

function adviceOn(reason: string): string {
  const sentence = reason.replace(/\.?$/, ".");
  if (/namespace/i.test(reason)) return `${sentence} Is TEMPORAL_NAMESPACE right?`;
  return `${sentence} Is it up at the address that is set?`;
}

/** The innermost message: the SDK wraps what gRPC said in a sentence that says nothing. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
