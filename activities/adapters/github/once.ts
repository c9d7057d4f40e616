/** GitHub knows no idempotency keys, so that every effect is looked for: before it is made, and after a lost answer. */
import { ServiceUnavailable } from "../../../domain/errors.ts";

/** Makes an effect. When the answer is lost, looks whether it was made all the same before giving up. */
export async function makeOrFind<T>(make: () => Promise<T>, find: () => Promise<T | null>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof ServiceUnavailable)) throw error;
    const found = await find();
    if (found === null) throw error;
    return found;
  }
}

const turns = new Map<string, Promise<unknown>>();

/** One after the other within this process: two attempts at one effect must not both look, see nothing, and make it. */
export async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(key);
  const mine = (before ?? Promise.resolve()).then(work, work);
  turns.set(key, mine);
  try {
    return await mine;
  } finally {
    if (turns.get(key) === mine) turns.delete(key);
  }
}
