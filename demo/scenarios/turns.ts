/** Small words to write down what a model said. */
import type { Classification, Plan, Review } from "../../domain/outputs.ts";
import type { PlayedTurn, PlayedUse } from "../model/scenario.ts";

/** A turn that says something and then uses tools; without tools it is the last one. */
export function turn(text: string, ...uses: PlayedUse[]): PlayedTurn {
  return uses.length > 0 ? { text, uses } : { text };
}

/** The last turn of a role that answers with data. */
export function answer(data: Classification | Plan | Review): PlayedTurn {
  return { data };
}
