/** Where activities meet Temporal: the cancellation signal, heartbeats, and errors with the delay that they ask for. */
import { ApplicationFailure, Context, log } from "@temporalio/activity";
import { LeftToAnother, RateLimited, ServiceUnavailable, WorkerStopping } from "../domain/errors.ts";
import { ASKED_TO_WAIT } from "../domain/patience.ts";

/** What an activity needs of its surroundings while it works. */
export interface Surroundings {
  signal: AbortSignal;
  /** Tells Temporal that the work goes on, and how far it is. Cheap: may be called for every event of a stream. */
  beat: (progress?: unknown) => void;
}

/** A quarter of the heartbeat time-out of 4 s (`workflows/activities.ts`), so that a beat or two that come late are no alarm. */
const BEAT_EVERY_MS = 1_000;

/**
 * Runs an activity's work with a heartbeat from outside the work, so that a silent command is not taken for a dead
 * worker, and translates errors: what an outside service said about "later" becomes the delay before the next attempt.
 */
export async function working<T>(work: (surroundings: Surroundings) => Promise<T>): Promise<T> {
  const context = Context.current();
  let last: unknown;
  const beat = (progress: unknown = last): void => {
    last = progress;
    context.heartbeat(progress);
  };
  const signal = untilOver(context);
  const timer = setInterval(() => beat(), BEAT_EVERY_MS);
  try {
    return await work({ signal, beat });
  } catch (caught) {
    // Temporal wants to hear its own reason: of a paused attempt it makes another failure than of a cancelled one.
    const error = caught instanceof LeftToAnother ? context.cancellationSignal.reason : caught;
    // A failure that was made for the workflow carries what the next attempt needs.
    const handsOver = context.cancellationDetails?.workerShutdown && !(error instanceof ApplicationFailure);
    if (handsOver) throw new WorkerStopping(STOPPING, { cause: error });
    throw translate(error);
  } finally {
    clearInterval(timer);
  }
}

const STOPPING = "This worker is shutting down: another goes on from the last checkpoint.";

/**
 * Fires when the attempt is over. Only a cancellation ends what it began: one that was taken for dead, timed out, paused, or loses its
 * worker has a successor, who waits for the same command.
 */
function untilOver(context: Context): AbortSignal {
  const { cancellationSignal } = context;
  const over = new AbortController();
  const end = (): void => {
    const { reason } = cancellationSignal;
    const asked = context.cancellationDetails?.cancelRequested === true;
    over.abort(asked ? reason : new LeftToAnother("This attempt is over: another goes on.", { cause: reason }));
  };
  if (cancellationSignal.aborted) end();
  else cancellationSignal.addEventListener("abort", end, { once: true });
  return over.signal;
}

/**
 * Work in a sandbox: left as soon as the worker begins to shut down. A command goes on until its sandbox is closed, and another worker
 * waits for it there, or does it again from the last checkpoint.
 */
export async function untilDraining<T>(
  draining: AbortSignal,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const left = new AbortController();
  const leave = (): void => left.abort(new LeftToAnother(STOPPING));
  // One of its own for each: Node warns of a signal that many listen to.
  const stopping = AbortSignal.any([draining]);
  if (stopping.aborted) leave();
  else stopping.addEventListener("abort", leave, { once: true });
  try {
    return await work(AbortSignal.any([signal, left.signal]));
  } catch (error) {
    if (draining.aborted && !signal.aborted) throw new WorkerStopping(STOPPING, { cause: error });
    throw error;
  } finally {
    stopping.removeEventListener("abort", leave);
  }
}

/** A limit without a time gets a minute, as GitHub asks for its secondary limits. */
const UNTIMED_LIMIT_MS = 60_000;
/** What is longer than this is waited for by the workflow, which can show it; see `workflows/parked.ts`. */
const SHORT_WAIT_MS = 20_000;

/** The delay is for those who retry here (the intake); whoever parks instead reads it from the details. */
function translate(error: unknown): unknown {
  if (!(error instanceof RateLimited || error instanceof ServiceUnavailable)) return error;
  const { retryAfterMs } = error;
  const limited = error instanceof RateLimited;
  const delayMs = retryAfterMs ?? (limited ? UNTIMED_LIMIT_MS : null);
  if (delayMs !== null) log.warn("asked to wait", { service: error.service, delayMs, reason: error.message });
  return ApplicationFailure.create({
    message: error.message,
    type: !limited && delayMs !== null && delayMs > SHORT_WAIT_MS ? ASKED_TO_WAIT : error.name,
    details: [{ retryAfterMs }],
    cause: error,
    ...(delayMs !== null && { nextRetryDelay: delayMs }),
  });
}
