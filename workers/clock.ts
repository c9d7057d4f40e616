/** This process's clock, held against GitHub's with each of its answers: a wrong one is told, and stops nothing. */
import { wrongClock } from "../domain/clock.ts";
import type { Log } from "./log.ts";

export class Clock {
  #wrong: string | null = null;

  /** What is wrong with it, as of GitHub's last answer; null: nothing. */
  get wrong(): string | null {
    return this.#wrong;
  }

  /** `skewMs`: GitHub's clock minus ours. */
  compared(skewMs: number, log: Pick<Log, "warn" | "info">): void {
    const before = this.#wrong;
    this.#wrong = wrongClock(skewMs);
    if (before === null && this.#wrong !== null)
      log.warn({ skewMs }, `${this.#wrong}. Times in logs are wrong until then`);
    if (before !== null && this.#wrong === null) log.info({ skewMs }, "the clock agrees with GitHub's again");
  }
}

/** A process has one, whichever of its parts asks GitHub. */
export const clock = new Clock();
