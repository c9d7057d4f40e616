/** All that a run waits for, and since when: the newest is shown, and its clock outlives a pause and a new history. */
import type { WaitingFor } from "../domain/run.ts";

type Clock = Pick<WaitingFor, "kind" | "since">;

/** What goes along into a new history. */
export interface CarriedWaits {
  /** What was waited for in the present phase, and since when. */
  lastWait: Clock | null;
  /** The same for the phase in which the run was paused. Absent when it comes from an older version. */
  waitBeforePause?: Clock | null;
}

export class Waits {
  readonly #tell: (wait: WaitingFor | null) => void;
  readonly #open: WaitingFor[] = [];
  #last: Clock | null;
  /** What was waited for when the run was paused, and since when: it goes on with resume. */
  #beforePause: Clock | null;
  #ofAgent: WaitingFor | null;
  #pause: WaitingFor | null;

  /** `paused`: since when the run that goes on is paused; null: it is not. */
  constructor(
    carried: CarriedWaits | null,
    paused: string | null,
    ofAgent: WaitingFor | null,
    tell: (wait: WaitingFor | null) => void,
  ) {
    this.#last = carried?.lastWait ?? null;
    this.#beforePause = carried?.waitBeforePause ?? null;
    this.#pause = paused === null ? null : pauseWait(paused);
    this.#ofAgent = ofAgent;
    this.#tell = tell;
  }

  carried(): CarriedWaits {
    return { lastWait: this.#last, waitBeforePause: this.#beforePause };
  }

  /** How long this has been waited for in the present phase, in milliseconds. */
  waitedMs(kind: WaitingFor["kind"]): number {
    return this.#last?.kind === kind ? Date.now() - Date.parse(this.#last.since) : 0;
  }

  /** Shows a wait for as long as `work` takes. Looking up in between does not make it younger. */
  async during<T>(wait: Omit<WaitingFor, "since">, work: () => Promise<T>): Promise<T> {
    const since = this.#last?.kind === wait.kind ? this.#last.since : new Date().toISOString();
    const mine = { ...wait, since };
    this.#last = { kind: wait.kind, since };
    this.#open.push(mine);
    this.show();
    try {
      return await work();
    } finally {
      this.#open.splice(this.#open.indexOf(mine), 1);
      this.show();
    }
  }

  /** What the agent at work waits for; null: nothing, or none is at work. */
  ofAgent(wait: WaitingFor | null): void {
    if (this.#ofAgent?.since === wait?.since) return;
    this.#ofAgent = wait;
    this.show();
  }

  pause(): void {
    this.#beforePause = this.#last;
    this.#pause = pauseWait();
  }

  /** To be told when the pause is over: a wait that goes on after it is younger by it. */
  resume(): void {
    const pausedMs = Date.now() - Date.parse(this.#pause!.since);
    const before = this.#beforePause;
    this.#last = before && { ...before, since: new Date(Date.parse(before.since) + pausedMs).toISOString() };
    this.#pause = null;
    this.show();
  }

  /** Another phase has begun: its waits begin anew. */
  newPhase(): void {
    this.#last = null;
  }

  /** While it is paused, the run went over to another phase. */
  newPhaseBeforePause(): void {
    this.#beforePause = null;
  }

  end(): void {
    this.#pause = null;
  }

  /** A pause is what a person must know first, then what an agent waits for. */
  show(): void {
    this.#tell(this.#pause ?? this.#ofAgent ?? this.#open.at(-1) ?? null);
  }
}

function pauseWait(since: string = new Date().toISOString()): WaitingFor {
  return { kind: "resume", since, detail: "The run is paused. Send resume." };
}
