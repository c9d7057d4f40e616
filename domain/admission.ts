/** Whether a trigger may start a run: pure; what GitHub and Temporal said goes in, a reason comes out. */
import type { Actor } from "./events.ts";
import { mayWrite, type Permission, type Phase } from "./run.ts";

/** What is known of the last run of an issue. */
export interface EarlierRun {
  /** null while it runs, else when it ended: ISO 8601. */
  endedAt: string | null;
  merged: boolean;
}

/** Why the sender of a trigger is not obeyed, or null. */
export function refuseSender(sender: Actor | null, permission: Permission): string | null {
  if (sender === null) return "nobody sent it: the account is gone";
  if (!mayWrite(permission))
    return `@${sender.login} has ${permission === "none" ? "no" : permission} permission; write is needed to start a run`;
  return null;
}

/** Why a trigger of this moment starts no run beside, or after, an earlier one; null when it may. */
export function refuseRestart(at: string, earlier: EarlierRun | null): string | null {
  if (earlier === null) return null;
  if (earlier.endedAt === null) return "a run is at work on this issue already";
  if (earlier.merged) return "this issue was resolved and merged already";
  if (Date.parse(at) <= Date.parse(earlier.endedAt))
    return `this is older than the end of the last run (${earlier.endedAt})`;
  return null;
}

/** Hidden in the progress comment, so that an ended run is known even when Temporal has forgotten it. */
export function stateMarker(phase: Phase, at: string): string {
  return `<!-- mergewright:state phase=${phase} at=${at} -->`;
}

/** The run that a progress comment tells of, or null when the comment does not tell. */
export function readStateMarker(body: string): EarlierRun | null {
  const match = /<!-- mergewright:state phase=([a-z-]+) at=(\S+) -->/.exec(body);
  if (!match || Number.isNaN(Date.parse(match[2]!))) return null;
  const ended = match[1] === "merged" || match[1] === "declined" || match[1] === "failed" || match[1] === "cancelled";
  return { endedAt: ended ? match[2]! : null, merged: match[1] === "merged" };
}
