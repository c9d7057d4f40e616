/** Whether an agent goes round in circles: what it did last, and when it was told so. */
import type { Said, Turn } from "../activities/contract.ts";
import { circleIn, REMEMBERED_STEPS, type Step, WARNING_HOLDS_TURNS } from "../domain/stuck.ts";
import type { CarriedRound } from "./agent-messages.ts";

export class Circles {
  readonly #steps: Step[];
  #warnedAtTurn: number | null;
  #circle: string | null = null;

  constructor(carried: CarriedRound | undefined) {
    this.#steps = [...(carried?.steps ?? [])];
    this.#warnedAtTurn = carried?.warnedAtTurn ?? null;
  }

  remember(said: Said, { resultsDigest }: Turn): void {
    if (said.kind !== "results") return;
    // Turns of older versions tell no digests: their ids, which never repeat, stand in.
    const call = said.calls.map((each) => each.digest ?? each.id).join(" ");
    this.#steps.push({ call, result: resultsDigest ?? call });
    if (this.#steps.length > REMEMBERED_STEPS) this.#steps.shift();
    this.#circle = circleIn(this.#steps);
  }

  /** An agent in a circle is told so once; when that does not help, it is given up. Null: it is in none. */
  verdict(turns: number): { kind: "tell"; note: string } | { kind: "give-up"; reason: string } | null {
    const circle = this.#circle;
    if (circle === null) return null;
    if (this.#warnedAtTurn !== null && turns - this.#warnedAtTurn <= WARNING_HOLDS_TURNS)
      return { kind: "give-up", reason: `it went round in circles: ${circle}, also after it was told so` };
    this.#warnedAtTurn = turns;
    this.#steps.length = 0;
    this.#circle = null;
    return { kind: "tell", note: noteOf(circle) };
  }

  /** For the next history. */
  get carried(): { steps: Step[]; warnedAtTurn: number | null } {
    return { steps: this.#steps, warnedAtTurn: this.#warnedAtTurn };
  }
}

function noteOf(circle: string): string {
  return `You are going round in circles: ${circle}. It will not come out differently. Think about what you know already, and take another way; if there is none, finish and say what stands in the way.`;
}
