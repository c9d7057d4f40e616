/** Waiting for people: they are reminded from time to time, and not waited for without end. */
import { patched } from "@temporalio/workflow";
import { commentMarker } from "../domain/ids.ts";
import { reminderComment } from "../domain/comment-text.ts";
import { nextAlarm } from "../domain/reminders.ts";
import type { WaitingFor } from "../domain/run.ts";
import { putComment } from "./activities.ts";
import type { Run } from "./run.ts";
import { Declined } from "./story.ts";

/** Waits on a durable timer, which holds nothing, and goes on with a new history when this one is long. */
export async function awaitPeople(
  run: Run,
  wait: Omit<WaitingFor, "since">,
  until: () => boolean,
  turnPage: () => Promise<void>,
): Promise<void> {
  const { approval_reminder_hours: hours, approval_days: days } = run.settings.limits;
  for (;;) {
    // Whoever paused it need not be reminded, and the time of a pause is nobody's delay.
    const { paused } = run;
    const alarm = paused ? null : nextAlarm({ waitedMs: run.waits.waitedMs(wait.kind), hours, days });
    const woken = await run.waitFor(wait, () => until() || run.paused !== paused || run.historyIsLong(), alarm?.inMs);
    if (until()) return;
    await turnPage();
    if (woken || alarm === null || run.paused) continue;
    if (alarm.kind === "expired") {
      if (await nobodyHasDecided(run, wait, until)) throw new Declined(`nobody decided within ${days} days`);
      continue;
    }
    remind(run, alarm.number, wait);
  }
}

/** A decision may have been missed: GitHub is asked before the work is thrown away, and again later where it does not tell. */
async function nobodyHasDecided(run: Run, wait: Omit<WaitingFor, "since">, until: () => boolean): Promise<boolean> {
  if (!patched("asked-before-the-end")) return true;
  const isKnown = await run.catchUp();
  const goesOn = (): boolean => until() || run.paused || run.interruption !== null;
  if (goesOn()) return false;
  if (!isKnown) await run.waitFor(wait, goesOn, ASKED_AGAIN_AFTER_MS);
  return isKnown;
}

/** A key that was refused is mended by people. */
const ASKED_AGAIN_AFTER_MS = 3_600_000;

/** A comment of its own, as the edit of an old one notifies nobody. */
function remind(run: Run, count: number, { detail }: Omit<WaitingFor, "since">): void {
  const { ref, status } = run;
  const place = status.pullRequest?.number ?? ref.issue;
  const marker = commentMarker(`reminder-${run.status.phases.length}-${count}`, ref.runKey);
  const body = reminderComment({
    marker,
    to: run.input.trigger.by,
    detail: detail ?? "",
    days: run.settings.limits.approval_days,
  });
  run.beside(putComment({ run: ref, number: place, comment: { marker, body, id: null } }));
}
