/** What each activity of upkeep takes and gives; the workflows are in `workflows/upkeep.ts`. */
import type { RepositoryName } from "../domain/ids.ts";
import type { MemoryReport } from "../domain/memory-report.ts";
import type { RetentionReport } from "../domain/retention.ts";
import type { SweepCounts } from "../domain/upkeep.ts";

/** One set of GitHub credentials, and what it is asked about. */
export type SweepSource =
  /** An App's own deliveries tell everything that its webhook missed. */
  | { kind: "app"; account: RepositoryName }
  /** A token may not list deliveries: repositories are looked at instead, these first of those that it shows. */
  | { kind: "token"; account: RepositoryName; repositories: RepositoryName[] };

export interface UpkeepActivities {
  /** Deliveries that failed after GitHub had our word for them, as far as their time has come; the answer is how many. */
  tryDeliveriesAgain(input: { now: string }): Promise<number>;
  sweepSources(): Promise<SweepSource[]>;
  /** `now` by the clock of the Temporal server: that of a worker may be wrong. */
  removeExpired(input: { now: string }): Promise<RetentionReport>;
  /** `now` by the clock of the Temporal server. */
  forgetOldMemories(input: { now: string }): Promise<MemoryReport>;
  sweep(input: { source: SweepSource; since: string; taskQueue: string }): Promise<SweepCounts>;
}
