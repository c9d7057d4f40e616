/** Whether a sandbox still belongs to a run: pure; what the engine and Temporal said goes in. */

import type { Phase } from "./run.ts";

/** A sandbox as its labels, or the note beside it, tell of it. */
export interface KnownSandbox {
  key: string;
  runKey: string;
  /** Of the run that it was made for. */
  workflowId: string;
  /** Milliseconds since 1970, by the clock of the engine. */
  madeAt: number;
}

/** What Temporal says of a workflow id. */
export type RunState =
  /** `firstRunId` is that of its chain of executions: kept by continue-as-new and reset, another for a rerun. null: not told. */
  { kind: "open"; firstRunId: string | null } | { kind: "ended" } | { kind: "unknown" };

/** Temporal may have lost a run with its database, or this is another's for a moment: nothing is removed for that before it is this old. */
export const UNKNOWN_GRACE_MS = 10 * 60_000;

/** Nothing in it is lost: all that changed was made safe after each call, and the next step builds it again. */
export function isIdle(lastUse: number | null, idleMs: number, nowMs: number): boolean {
  return idleMs > 0 && lastUse !== null && nowMs - lastUse > idleMs;
}

/** Its run waits for people or for checks: hours or days, mostly. */
const RESTING: readonly Phase[] = ["awaiting-plan-approval", "awaiting-checks", "awaiting-approval", "paused"];

/** After this long without use, the sandbox of a run that cannot use it makes room for a run that could work. */
const MAKES_ROOM_AFTER_MS = 10_000;

/** What a full worker asks of a run that has a place. */
export interface Standing {
  /** undefined: it shows none. */
  phase: string | undefined;
  /** Some step of it waits for a worker: it has left this one, which was late, and stands in line for a place again. */
  inLine: boolean;
}

/** A step of a run that is not done yet, as Temporal tells of it. */
export interface PendingStep {
  /** No worker has it. */
  waits: boolean;
  /** Its task queue; null: this server does not tell. */
  queue: string | null;
}

/**
 * Whether the run stands in line for a place. A step that waits in another queue is late because some worker is: its run has its place,
 * and needs its sandbox in a moment.
 */
export function standsInLine(steps: readonly PendingStep[], line: string): boolean {
  return steps.some(({ waits, queue }) => waits && (queue === null || queue === line));
}

export function makesRoom({ phase, inLine }: Standing, lastUse: number | null, nowMs: number): boolean {
  const cannotUseIt = inLine || RESTING.some((resting) => resting === phase);
  return cannotUseIt && isIdle(lastUse, MAKES_ROOM_AFTER_MS, nowMs);
}

/**
 * @param firstRunId of the chain of executions that the sandbox was made for; null: it is not known. A sandbox of an earlier
 * run is a leftover also while the issue has an open one.
 */
export function isLeftover(sandbox: KnownSandbox, run: RunState, firstRunId: string | null, nowMs: number): boolean {
  switch (run.kind) {
    case "open":
      return firstRunId !== null && run.firstRunId !== null && firstRunId !== run.firstRunId;
    case "ended":
      return true;
    case "unknown":
      return nowMs - sandbox.madeAt > UNKNOWN_GRACE_MS;
  }
}
