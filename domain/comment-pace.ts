/** How often the progress comment is edited: each edit counts against GitHub's limit of 80 a minute and 500 an hour, for all runs together. */
import type { WaitingFor } from "./run.ts";

/** Phases that are over sooner are seen by nobody; a person who looks finds what is not older than this. */
export const EDIT_EVERY_MS = 15_000;

/** Whether people must know of it at once. Checks come and go by themselves. */
export function mustBeShown(waitingFor: WaitingFor | null): boolean {
  return waitingFor !== null && waitingFor.kind !== "checks";
}

/** After how many milliseconds a change is shown; `sinceLastMs`: how long ago the comment was written, null: it never was. */
export function showsIn(waitingFor: WaitingFor | null, sinceLastMs: number | null): number {
  if (sinceLastMs === null || mustBeShown(waitingFor)) return 0;
  return Math.max(0, EDIT_EVERY_MS - sinceLastMs);
}
