/** Deliveries that GitHub was told are taken, and that could not be let in: how long they are tried, and by whom. Pure. */
import { FIRST_SWEEP_MS } from "./upkeep.ts";

/** A key that is refused may be mended within the hour: so long the delivery itself waits. */
export const LET_IN_WITHIN_MS = 60 * 60_000;
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 5 * 60_000;

/** How long a delivery waits before its key is tried again; null: it is given up, and left to the sweep. */
export function waitToLetIn(round: number, ageMs: number): number | null {
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** round, MAX_WAIT_MS);
  return ageMs + waitMs > LET_IN_WITHIN_MS ? null : waitMs;
}

/** A delivery as Temporal shows it: each attempt that failed is an execution of its own. */
export interface FailedDelivery {
  workflowId: string;
  /** The newest execution. */
  runId: string;
  /** When the first one began, and when the newest ended. */
  since: Date;
  failedAt: Date;
  /** How many failed. */
  failures: number;
}

/** A sweep that comes within minutes tries the first time at once, then after 1, 2, 4 ... minutes, then every hour. */
const FIRST_REST_MS = 60_000;
const MAX_REST_MS = 60 * 60_000;

/** Whether the sweep tries it again now. After as long as GitHub itself remembers a delivery nobody does. */
export function isDueAgain({ since, failedAt, failures }: FailedDelivery, now: Date): boolean {
  if (isGivenUp({ since }, now)) return false;
  const restMs = failures < 2 ? 0 : Math.min(FIRST_REST_MS * 2 ** (failures - 2), MAX_REST_MS);
  return now.getTime() - failedAt.getTime() >= restMs;
}

export function isGivenUp({ since }: Pick<FailedDelivery, "since">, now: Date): boolean {
  return now.getTime() - since.getTime() > FIRST_SWEEP_MS;
}

/** One line for whoever looks after the product; null: all were let in. */
export function tellFailedDeliveries(failed: readonly FailedDelivery[], reason: string | null): string | null {
  const [newest] = failed;
  if (newest === undefined) return null;
  const many = failed.length === 1 ? "1 delivery was" : `${failed.length} deliveries were`;
  return `${many} not let in, the newest is ${newest.workflowId}${reason === null ? "" : `: ${reason}`}`;
}
