/** Whether the history between two workflow tasks has room for what the first of them did. */

/** What a worker handled at once. */
export interface HistoryStep {
  /** The number of the last event that was known then: the start of its workflow task. */
  historyLength: number;
  /** Kinds of what had happened, as the SDK calls them; `completedActivity` for `resolveActivity` with a result. */
  jobs: readonly string[];
  /** Kinds of what the workflow wanted then. */
  commands: readonly string[];
}

/** Each is one event. */
const ADDS = new Set([
  "scheduleActivity",
  "startChildWorkflowExecution",
  "startTimer",
  "upsertWorkflowSearchAttributes",
  "modifyWorkflowProperties",
]);
/** What is taken back in the step that wanted it leaves no event at all. */
const TAKES_BACK = new Set(["requestCancelActivity", "cancelChildWorkflowExecution", "cancelTimer"]);
/** Events that have happened for each, at the least. */
const HAPPENED: Readonly<Record<string, number>> = {
  // It was started, and it was completed. One that failed may never have been started.
  completedActivity: 2,
  resolveActivity: 1,
  fireTimer: 1,
  signalWorkflow: 1,
  cancelWorkflow: 1,
  resolveChildWorkflowExecution: 1,
};
/** The completion of the first task, the scheduling and the start of the second. */
const BETWEEN_TASKS = 3;

/**
 * True when the events from `before` to `now` are too few for the commands of `before` to be among them: its task was never
 * completed. Errs towards false: a task that several others ended in the meantime may hide it.
 */
export function isRunAhead(before: HistoryStep, now: HistoryStep): boolean {
  // Still the same task: the SDK handles in several steps what follows at once.
  if (before.historyLength === now.historyLength) return false;
  const wanted = count(before.commands, ADDS) - count(before.commands, TAKES_BACK);
  if (wanted <= 0) return false;
  const happened = now.jobs.reduce((sum, kind) => sum + (HAPPENED[kind] ?? 0), 0);
  return now.historyLength - before.historyLength < BETWEEN_TASKS + wanted + happened;
}

function count(kinds: readonly string[], of: ReadonlySet<string>): number {
  return kinds.filter((kind) => of.has(kind)).length;
}
