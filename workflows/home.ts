/**
 * Where the sandboxes of a run live. The worker that opened them keeps them: later steps go to its own task queue. When it
 * is gone, any worker with room takes the run and builds the sandboxes again from the last checkpoint.
 */
import {
  ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  patched,
  TimeoutFailure,
  workflowInfo,
} from "@temporalio/workflow";
import { sandboxQueue } from "../domain/ids.ts";

/** A worker at home polls all the time, and has room for every run that it keeps: it takes a step within milliseconds. */
const TAKEN_WITHIN = "4s";
/** After a step was lost with its worker: long enough for a second worker of the same home, and for no more. */
const TAKEN_AGAIN_WITHIN = "500ms";

/** So often a step is done again at once that was lost with its worker. One that is the cause of it would end them all, one by one. */
const LOST_AT_MOST = 5;

/** Type of the failure by which a worker that is shutting down hands a step over. */
export const WORKER_STOPPING = "WorkerStopping";

/** Type of the failure by which a full worker sends a run in line that has no sandbox open there any more. */
export const NO_PLACE = "NoPlace";

export type Place = Pick<ActivityOptions, "taskQueue" | "scheduleToStartTimeout">;

export interface Move {
  from: string;
  why: string;
}

export class Home {
  /** The task queue of the worker that keeps the sandboxes; null: none does. */
  queue: string | null;
  readonly #moved: (move: Move) => void;

  constructor(queue: string | null, moved: (move: Move) => void) {
    this.queue = queue;
    this.#moved = moved;
  }

  /**
   * Runs a step where the sandboxes are, or where there is room for them; again elsewhere when its worker is gone. Throws the loss of
   * a worker only after several of them.
   */
  async run<T>(step: (place: Place) => Promise<T>): Promise<T> {
    const losses = new Losses();
    for (let lost = 0; ;) {
      const { queue } = this;
      try {
        return await step(placeOf(queue, lost));
      } catch (error) {
        const why = losses.count(error);
        lost += 1;
        // Lost with its worker: a second worker of the same home may have the sandbox still, so that one is asked first.
        if (queue !== null && (why !== SILENT || lost > 1)) this.#leave(queue, why);
      }
    }
  }

  #leave(queue: string, why: string): void {
    this.queue = null;
    this.#moved({ from: queue, why });
  }
}

/** A step that needs no sandbox runs on any worker, and again when it was lost with one, as in {@link Home.run}. */
export async function anywhere<T>(step: () => Promise<T>): Promise<T> {
  const losses = new Losses();
  for (;;) {
    try {
      return await step();
    } catch (error) {
      losses.count(error);
    }
  }
}

/** The workers that one step was lost with, in a row. */
class Losses {
  #silent = 0;

  /** Why the worker is gone. Throws the error itself where that is not what it tells, or was told too often. */
  count(error: unknown): string {
    const why = whyGone(error);
    if (why === null) throw error;
    if (why === SILENT) this.#silent += 1;
    if (this.#silent >= LOST_AT_MOST && patched("a-step-that-loses-its-workers-waits")) throw error;
    return why;
  }
}

function placeOf(queue: string | null, lost: number): Place {
  if (queue === null) return { taskQueue: sandboxQueue(workflowInfo().taskQueue) };
  return { taskQueue: queue, scheduleToStartTimeout: lost === 0 ? TAKEN_WITHIN : TAKEN_AGAIN_WITHIN };
}

const SILENT = "the worker was lost in the middle of a step";

/** Why the worker counts as gone, or null for a failure of the step itself. */
function whyGone(error: unknown): string | null {
  if (!(error instanceof ActivityFailure)) return null;
  const { cause } = error;
  if (cause instanceof TimeoutFailure) {
    if (cause.timeoutType === "SCHEDULE_TO_START") return "the worker did not take the next step";
    return cause.timeoutType === "HEARTBEAT" ? SILENT : null;
  }
  if (!(cause instanceof ApplicationFailure)) return null;
  if (cause.type === NO_PLACE) return "the worker had no place for it any more";
  return cause.type === WORKER_STOPPING ? "the worker was shut down" : null;
}
