/** A step that its retries did not bring through waits in sight: for time, when something is away or limits us, else for an operator. */
import { ActivityFailure, ApplicationFailure, isCancellation, log, TimeoutFailure } from "@temporalio/workflow";
import { patienceFor, type StepFailure } from "../domain/patience.ts";
import type { WaitingFor } from "../domain/run.ts";

/** What is waited for; with `waitMs` the step is tried again by itself when it has passed, or sooner when somebody resumes it. */
export type Parking = Omit<WaitingFor, "since"> & { waitMs: number | null };

/** The reason why an activity failed for good, in one sentence. */
export function reasonOf(error: unknown): string {
  if (error instanceof ActivityFailure) return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
  if (error instanceof ApplicationFailure) return error.message;
  if (error instanceof TimeoutFailure) return `No worker finished it in time (${error.message}).`;
  return error instanceof Error ? error.message : String(error);
}

/**
 * Runs a step until it succeeds. Whenever it fails, `park` is told what is to be waited for, and waits; then the step is tried
 * again. No worker is held meanwhile. Cancellation passes through, and so does whatever `park` throws. `failedBefore` counts its
 * failures in an earlier history.
 */
export async function untilDone<T>(
  step: () => Promise<T>,
  park: (parking: Parking) => Promise<void>,
  failedBefore = 0,
): Promise<T> {
  for (let round = failedBefore; ; round += 1) {
    try {
      return await step();
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
      const parking = parkingFor(failureOf(error), round);
      log.warn("parked", { kind: parking.kind, reason: reasonOf(error), waitMs: parking.waitMs });
      await park(parking);
    }
  }
}

function parkingFor(failure: StepFailure, round: number): Parking {
  const patience = patienceFor(failure, round, Math.random());
  const { reason } = failure;
  if (patience.kind === "operator")
    return { kind: "operator", detail: `${reason} Mend it, then send resume.`, waitMs: null };
  const { kind, waitMs } = patience;
  const until = new Date(Date.now() + waitMs).toISOString();
  return { kind, waitMs, until, detail: `${reason} Tried again by itself at ${until}; resume tries at once.` };
}

function failureOf(error: ActivityFailure): StepFailure {
  const cause = error.cause instanceof ApplicationFailure ? error.cause : null;
  const told = cause?.details?.[0] as { retryAfterMs?: unknown } | null | undefined;
  // A worker that is lost in the middle of a step is none that refuses it: `home.ts` has tried others.
  const refused = error.retryState === "NON_RETRYABLE_FAILURE" && !(error.cause instanceof TimeoutFailure);
  return {
    type: cause?.type ?? null,
    reason: reasonOf(error),
    final: refused,
    retryAfterMs: typeof told?.retryAfterMs === "number" ? told.retryAfterMs : null,
  };
}
