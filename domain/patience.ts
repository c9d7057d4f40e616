/** How long a step that failed is waited for, and in whose hands it is: time's, or an operator's. */

/** What is known of a step that failed after all its attempts. */
export interface StepFailure {
  /** Class name of the error; null for a time-out, where nobody told a reason. */
  type: string | null;
  /** In one sentence, as people read it. */
  reason: string;
  /** The same attempt would fail again: its retry policy says so. */
  final: boolean;
  /** What the service itself asked to wait; null: it did not say. */
  retryAfterMs: number | null;
}

export type Patience = { kind: "operator" } | { kind: "outage" | "rate-limit"; waitMs: number };

/** A service that asks for more than this is waited for in sight, as `waitingFor`, and not within the activity. */
export const ASKED_TO_WAIT = "AskedToWait";
/** A reply that is paid for found no place to be stored; the next attempt is given it, and asks for none. */
export const REPLY_NOT_STORED = "ReplyNotStored";

/** The same attempt would fail again, but time mends it. */
const MENDED_BY_TIME: readonly (string | null)[] = [ASKED_TO_WAIT, REPLY_NOT_STORED];

/** GitHub asks for at least a minute where a secondary limit names no time, then for more each time. */
const UNTOLD_LIMIT_MS = 60_000;
const MAX_UNTOLD_LIMIT_MS = 30 * 60_000;
/** By then an activity has tried four times within some seconds. */
const FIRST_OUTAGE_MS = 10_000;
/** Who is away for an hour is asked for every five minutes. */
const MAX_OUTAGE_MS = 5 * 60_000;
/**
 * Who is away for a day is asked for every hour: each time costs a run up to 40 events of its history, and there is room for 51,200, so
 * that a step may fail for a month.
 */
const LONG_OUTAGE_ROUNDS = 24 * 12;
const MAX_LONG_OUTAGE_MS = 60 * 60_000;

/**
 * `round` counts the failures of this step in a row, from 0; `jitter` (0 to 1) spreads those that wait for the same thing,
 * always to later, never to sooner than was asked.
 */
export function patienceFor(failure: StepFailure, round: number, jitter: number): Patience {
  const { type, final, retryAfterMs } = failure;
  const spread = 1 + jitter / 10;
  if (type === "RateLimited") {
    const untold = Math.min(UNTOLD_LIMIT_MS * 2 ** round, MAX_UNTOLD_LIMIT_MS) * spread;
    return { kind: "rate-limit", waitMs: Math.round(retryAfterMs ?? untold) };
  }
  if (final && !MENDED_BY_TIME.includes(type)) return { kind: "operator" };
  const longest = round < LONG_OUTAGE_ROUNDS ? MAX_OUTAGE_MS : MAX_LONG_OUTAGE_MS;
  const usual = Math.min(FIRST_OUTAGE_MS * 2 ** round, longest) * spread;
  return { kind: "outage", waitMs: Math.round(Math.max(usual, retryAfterMs ?? 0)) };
}
