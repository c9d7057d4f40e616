/**
 * Room for runs on this worker: each run that has a sandbox open here takes one place, from its first step until its last
 * sandbox is closed. Who finds no room waits in Temporal's queue, where priority and fairness decide who is next. So does a run
 * that lives here, gave its place up while it could not use it, and comes back when others have taken all.
 */
import type { ActivitySlotInfo, SlotPermit, SlotSupplier } from "@temporalio/worker";
import { NoPlace } from "../domain/errors.ts";
import type { Sandboxes } from "../domain/ports.ts";
import type { Uses } from "./uses.ts";

/** A long reply of Claude takes less; a run that ended instead, or waits for the approval of its plan, gives its place back then. */
const KEPT_FOR_MS = 5 * 60_000;

/** The coder begins when the planner's sandbox is closed, at the same home, and opens its own with its first command. */
const COMES_BACK = /-planner$/;

export class Places {
  readonly limit: number;
  /** By run key: its open sandboxes. */
  readonly #runs = new Map<string, Set<string>>();
  readonly #waiting: (() => void)[] = [];
  #permits = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get runs(): number {
    return this.#runs.size;
  }

  get full(): boolean {
    return !this.#hasRoom();
  }

  /** Keys of the sandboxes that are open here. */
  get sandboxes(): string[] {
    return [...this.#runs.values()].flatMap((open) => [...open]);
  }

  /** False, and nothing is taken: the run has no place here, and there is none for it. */
  enter(runKey: string, sandbox: string): boolean {
    const open = this.#runs.get(runKey);
    if (!mayEnter({ inside: open !== undefined, runs: this.#runs.size, limit: this.limit })) return false;
    this.#runs.set(runKey, (open ?? new Set<string>()).add(sandbox));
    return true;
  }

  /** Says that a sandbox is gone, whoever closed it. One that is not known here is fine. `comesBack`: its run opens another soon. */
  leave(sandbox: string, comesBack = false): void {
    for (const [runKey, open] of this.#runs) {
      if (!open.delete(sandbox) || open.size > 0) continue;
      if (comesBack) setTimeout(() => this.#giveUp(runKey), KEPT_FOR_MS).unref();
      else this.#runs.delete(runKey);
    }
    this.#next();
  }

  #giveUp(runKey: string): void {
    if (this.#runs.get(runKey)?.size === 0) this.#runs.delete(runKey);
    this.#next();
  }

  /**
   * Slots for steps that open the first sandbox of a run. A slot counts beside the run that it lets in until the step
   * ends, so for a moment fewer are let in than there is room for, never more.
   */
  slots(): SlotSupplier<ActivitySlotInfo> {
    return {
      type: "custom",
      reserveSlot: async (_, signal) => {
        while (!this.#hasRoom()) await this.#room(signal);
        return this.#permit();
      },
      tryReserveSlot: () => (this.#hasRoom() ? this.#permit() : null),
      markSlotUsed: () => undefined,
      releaseSlot: () => {
        this.#permits -= 1;
        this.#next();
      },
    };
  }

  #hasRoom(): boolean {
    return this.#runs.size + this.#permits < this.limit;
  }

  #permit(): SlotPermit {
    this.#permits += 1;
    return {};
  }

  #room(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(wake), 1);
        // The SDK asks for this very error.
        reject(new DOMException("The slot is not needed any more.", "AbortError"));
      };
      this.#waiting.push(wake);
      signal.addEventListener("abort", giveUp, { once: true });
      if (signal.aborted) giveUp();
    });
  }

  #next(): void {
    if (this.#hasRoom()) this.#waiting.shift()?.();
  }
}

/**
 * Whether a run may open a sandbox. A slot that it came by does not count: a run that lives here may have taken the last place since
 * that was given out.
 */
export function mayEnter({ inside, runs, limit }: { inside: boolean; runs: number; limit: number }): boolean {
  return inside || runs < limit;
}

/** The sandboxes of this worker, with a place taken for the run of each that is open, and its uses written down. */
export function inPlaces<Engine extends Sandboxes>(sandboxes: Engine, places: Places, uses: Uses): Engine {
  return {
    ...sandboxes,
    async open(spec, signal) {
      const wasOpen = places.sandboxes.includes(spec.key);
      // Taken before it is filled: two that open at once must not find the same place free.
      if (!places.enter(spec.runKey, spec.key)) {
        throw new NoPlace(
          `All ${places.limit} places of this worker are taken: the run of sandbox ${spec.key} stands in line for one.`,
        );
      }
      const sandbox = await sandboxes.open(spec, signal).catch((error: unknown) => {
        if (!wasOpen) places.leave(spec.key);
        throw error;
      });
      await uses.touch(spec.key);
      return uses.watch(spec.key, sandbox);
    },
    async close(key) {
      await sandboxes.close(key);
      places.leave(key, COMES_BACK.test(key));
      await uses.forget(key);
    },
  };
}
