/** When a history has become long enough to go on with a new one. */
import { workflowInfo } from "@temporalio/workflow";

/**
 * Before Temporal itself suggests it, at 4,096 events or 4 MB: a worker that does not have it in memory replays it whole within one
 * workflow task, for which there are 4 s (`WORKFLOW_TASK_TIMEOUT`). Were that not enough on a busy machine, it would be tried without
 * end. Measured on two cores: 0.6 ms of the processor for each event, so that 600 take 0.36 s, an eleventh; beside 20 to 50 other
 * processes that want to run, 970 took 0.8 to 1.8 s, and 3,927 took 1.9 to 3.2 s.
 */
const LONG_EVENTS = 600;
const LONG_BYTES = 1024 * 1024;

export function historyIsLong(): boolean {
  const { continueAsNewSuggested, historyLength, historySize } = workflowInfo();
  return continueAsNewSuggested || historyLength >= LONG_EVENTS || historySize >= LONG_BYTES;
}
