/** What upkeep did, in counts, and from when on a sweep has to look. Pure. */

/** What one sweep of GitHub did. */
export interface SweepCounts {
  /** Deliveries, issues and comments that were looked at. */
  seen: number;
  /** Found missed, and handed to the intake. */
  handedOn: number;
  /** Deliveries that had failed, and were tried again. */
  triedAgain: number;
  /** Found, but handed on before: by their webhook, or by an earlier sweep. */
  known: number;
  /** Open runs that were told to look at GitHub again. */
  nudged: number;
  /** Repositories and deliveries that our account may not read, or GitHub has forgotten. */
  unreadable: number;
}

/** The result of the workflow `reconcile`. */
export interface ReconcileReport extends SweepCounts {
  /** What happened between these moments was looked at; ISO 8601. */
  since: string;
  until: string;
  /** Those who could not be swept. Absent in reports of older versions. */
  failed?: FailedSweep[];
}

/** Credentials with which nothing could be found out: the next sweep looks from the same moment on. */
export interface FailedSweep {
  /** Any repository of theirs, as `SweepSource` names it. */
  account: string;
  reason: string;
  /** From when on it would have been looked at; ISO 8601. */
  since: string;
}

/** Stands for an owner without credentials of their own. */
export const OURS = "any";

export const noneSwept: SweepCounts = { seen: 0, handedOn: 0, triedAgain: 0, known: 0, nudged: 0, unreadable: 0 };

export function addSweeps(a: SweepCounts, b: SweepCounts): SweepCounts {
  return {
    seen: a.seen + b.seen,
    handedOn: a.handedOn + b.handedOn,
    triedAgain: a.triedAgain + b.triedAgain,
    known: a.known + b.known,
    nudged: a.nudged + b.nudged,
    unreadable: a.unreadable + b.unreadable,
  };
}

/** GitHub keeps deliveries for three days; an older trigger of an installation that is new to us was not meant for us. */
export const FIRST_SWEEP_MS = 3 * 24 * 60 * 60_000;
/** Clocks differ, and what was under way when the last sweep looked may have failed since. */
const OVERLAP_MS = 15 * 60_000;

/** From when on to look: from the end of the last sweep with some overlap, else three days back. */
export function sweepSince(now: string, last: ReconcileReport | null): string {
  const until = Date.parse(last?.until ?? "");
  return new Date(Number.isNaN(until) ? Date.parse(now) - FIRST_SWEEP_MS : until - OVERLAP_MS).toISOString();
}

/** The same for one set of credentials: what failed before has been looked at by nobody. */
export function sweepSinceOf(account: string, since: string, last: ReconcileReport | null): string {
  return last?.failed?.find((each) => each.account === account)?.since ?? since;
}

/** Null: all were swept. */
export function tellFailedSweeps(failed: readonly FailedSweep[]): string | null {
  if (failed.length === 0) return null;
  const each = failed.map(({ account, reason }) => {
    const owner = account.split("/")[0]!;
    return `${owner === OURS ? "our own credentials" : `the credentials of ${owner}`} (${reason})`;
  });
  return `what was missed could not be looked for with ${each.join(", ")}`;
}

export function tellReconcile({ seen, handedOn, triedAgain, known, nudged, unreadable }: SweepCounts): string {
  const parts = [`${seen} looked at`, `${handedOn} missed and handed on`, `${known} known already`];
  if (triedAgain > 0) parts.push(`${triedAgain} had failed and were tried again`);
  if (nudged > 0) parts.push(`${nudged} open runs told to look again`);
  if (unreadable > 0) parts.push(`${unreadable} could not be read`);
  return parts.join(", ");
}

/** What Temporal says of one Schedule of ours. */
export interface ScheduleFacts {
  paused: boolean;
  /** When it was made. */
  madeAt: Date;
  /** The newest of its workflows that has ended, where one has and is remembered. */
  lastEnded: { workflowId: string; status: string; failed?: FailedSweep[] } | null;
  /** When it started the newest; null: it has started none. */
  lastStartedAt: Date | null;
}

/** Late by less is nothing: a server that was away does not make up for what it missed. */
const LATE_BY_MS = 10 * 60_000;

/** What is wrong with a Schedule, to be read after its name; null: nothing. @param facts null: there is none of that name. */
export function scheduleProblem(facts: ScheduleFacts | null, everyMs: number, now: Date): string | null {
  if (facts === null) return "is missing: a worker makes it when it starts, if its account may";
  if (facts.paused) return "is paused";
  const { lastEnded } = facts;
  if (lastEnded !== null && ["FAILED", "TIMED_OUT", "TERMINATED"].includes(lastEnded.status))
    return `fails: ${lastEnded.workflowId} ended as ${lastEnded.status}`;
  const failed = tellFailedSweeps(lastEnded?.failed ?? []);
  if (failed !== null) return `fails in part: ${failed}`;
  const last = facts.lastStartedAt ?? facts.madeAt;
  if (now.getTime() - last.getTime() > 2 * everyMs + LATE_BY_MS)
    return `is late: it started nothing since ${last.toISOString()}`;
  return null;
}
