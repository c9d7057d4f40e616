/** What the product does for itself now and then, each started by a Schedule of its own; see `workers/schedules.ts`. */
import { isCancellation, log, setCurrentDetails, workflowInfo } from "@temporalio/workflow";
import {
  addSweeps,
  type FailedSweep,
  noneSwept,
  type ReconcileReport,
  sweepSince,
  sweepSinceOf,
  tellFailedSweeps,
  tellReconcile,
} from "../domain/upkeep.ts";
import { type MemoryReport, tellMemoryReport } from "../domain/memory-report.ts";
import { type RetentionReport, tellRetention } from "../domain/retention.ts";
import { forgetOldMemories, removeExpired, sweep, sweepSources, tryDeliveriesAgain } from "./activities.ts";
import { reasonOf } from "./parked.ts";

/**
 * Finds what webhooks did not bring us while we, or GitHub, were down, and lets it in as if they had. Its result is what
 * it did, in counts. The next one looks from this one's moment on; after one that failed, from that of the last which did not.
 * One whose key is refused keeps nobody else from being swept.
 */
export async function reconcile(): Promise<ReconcileReport> {
  const { startTime, lastResult, taskQueue } = workflowInfo();
  const last = (lastResult as ReconcileReport | null | undefined) ?? null;
  const since = sweepSince(startTime.toISOString(), last);
  let done = { ...noneSwept, triedAgain: await tryDeliveriesAgain({ now: startTime.toISOString() }) };
  const failed: FailedSweep[] = [];
  for (const source of await sweepSources()) {
    const { account } = source;
    const from = sweepSinceOf(account, since, last);
    try {
      done = addSweeps(done, await sweep({ source, since: from, taskQueue }));
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn("nothing could be swept", { account, reason: reasonOf(error) });
      failed.push({ account, reason: reasonOf(error), since: from });
    }
  }
  setCurrentDetails([tellReconcile(done), tellFailedSweeps(failed)].filter((each) => each !== null).join("; "));
  return { ...done, since, until: startTime.toISOString(), failed };
}

/** Removes what runs have stored once it has expired. Its result is what it did, in counts. */
export async function retention(): Promise<RetentionReport> {
  const report = await removeExpired({ now: workflowInfo().startTime.toISOString() });
  setCurrentDetails(tellRetention(report));
  return report;
}

/** Forgets memories that are past their time, and the oldest of issues that have too many. */
export async function memoryRetention(): Promise<MemoryReport> {
  const report = await forgetOldMemories({ now: workflowInfo().startTime.toISOString() });
  setCurrentDetails(tellMemoryReport(report));
  return report;
}
