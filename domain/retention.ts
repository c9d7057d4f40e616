/** How long what a run has stored is kept: until some time after everything about its issue has ended. Pure. */

const DAY_MS = 24 * 60 * 60_000;

/** What the retention did in one go; the result of the workflow `retention`. */
export interface RetentionReport {
  /** Folders under `runs/` that were removed, and workflows whose large payloads were. */
  runs: number;
  workflows: number;
  kept: number;
  /** Folders under `runs/` that do not say whose they are, or say it in a way that cannot be read here: they stay. */
  unknown: number;
  /** Folders of runs of another Temporal server: whether they are needed cannot be told from here, so they stay. */
  others: number;
}

/**
 * What is judged together: an issue with its agents, its reruns and its forks, because a fork goes on in the conversation
 * that it came from, and a parent's history names what its children were sent.
 */
export function familyOf(workflowId: string): string {
  const parts = workflowId.split("/");
  return parts[0] === "issue" ? parts.slice(0, 4).join("/") : workflowId;
}

/** What Temporal tells of all workflows of a family, old ones included. */
export interface FamilyState {
  /** Some workflow of it is open, however long it has been waiting. */
  open: boolean;
  /** When the last of them ended; null: Temporal has the history of none. */
  endedAt: Date | null;
}

/** Temporal has forgotten a run that ended longer ago than its namespace keeps histories: then its last writing counts alone. */
export function runHasExpired(
  { open, endedAt }: FamilyState,
  lastWrittenAt: Date | null,
  now: Date,
  days: number,
): boolean {
  if (open || days <= 0 || lastWrittenAt === null) return false;
  return isOld(lastWrittenAt, now, days) && (endedAt === null || isOld(endedAt, now, days));
}

/** A history that is kept is shown and replayed with its payloads, so they stay as long as it does. */
export function payloadsHaveExpired(
  { open, endedAt }: FamilyState,
  lastWrittenAt: Date | null,
  now: Date,
  days: number,
): boolean {
  if (open || endedAt !== null || days <= 0 || lastWrittenAt === null) return false;
  return isOld(lastWrittenAt, now, days);
}

function isOld(at: Date, now: Date, days: number): boolean {
  return at.getTime() < expiryBefore(now, days).getTime();
}

/** What was written before this may go. */
export function expiryBefore(now: Date, days: number): Date {
  return new Date(now.getTime() - days * DAY_MS);
}

export function tellRetention({ runs, workflows, kept, unknown, others }: RetentionReport): string {
  const parts = [`what ${runs} runs and ${workflows} workflows had stored was removed`, `that of ${kept} was kept`];
  if (unknown > 0) parts.push(`${unknown} folders under runs/ do not say whose they are, and stay`);
  if (others > 0) parts.push(`${others} folders under runs/ belong to runs of another Temporal server, and stay`);
  return parts.join(", ");
}
