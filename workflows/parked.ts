/** What no retry can mend waits for an operator, durably, with the reason in sight. */
import { ActivityFailure, ApplicationFailure, isCancellation, log } from "@temporalio/workflow";

/** The reason why an activity failed for good, in one sentence. */
export function reasonOf(error: unknown): string {
  if (error instanceof ActivityFailure) return reasonOf(error.cause);
  if (error instanceof ApplicationFailure) return error.message;
  return error instanceof Error ? error.message : String(error);
}

/**
 * Runs a step until it succeeds. When it fails for good, `park` is told why and waits for the operator; then the step
 * is tried again. Cancellation passes through.
 */
export async function untilDone<T>(step: () => Promise<T>, park: (reason: string) => Promise<void>): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      log.warn("parked until an operator resumes the run", { reason: reasonOf(error) });
      await park(reasonOf(error));
    }
  }
}
