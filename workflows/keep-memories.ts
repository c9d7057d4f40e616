/**
 * The one writer of what is remembered of a repository. What it was told is safe in its history until the store has it: a store that
 * is away for a week delays it, and an order that comes twice writes the same memory once.
 */
import { condition, isCancellation, setCurrentDetails, setHandler } from "@temporalio/workflow";
import { embedMemories, forgetRepository, moveRepository, storeMemories } from "./activities.ts";
import { type MemoryOrder, memoryOrderSignal } from "./messages.ts";
import { reasonOf } from "./parked.ts";

/** Memories that go to the store at once. */
const BATCH = 50;
/** Waits between questions to an embeddings service that made no vectors. After the last, the daily upkeep asks. */
const ASK_AGAIN_MINUTES = [1, 2, 4, 8, 16, 30] as const;

/** Its result is how many memories it wrote. */
export async function keepMemories({ repository }: { repository: string }): Promise<number> {
  const orders: MemoryOrder[] = [];
  let written = 0;
  /** Why some of them have no vectors. */
  let lacking: string | null = null;
  setHandler(memoryOrderSignal, (order) => void orders.push(order));
  // The order that started it may be handed over after the start.
  await condition(() => orders.length > 0, "1 minute");
  await carryOut();
  for (const minutes of ASK_AGAIN_MINUTES) {
    if (lacking === null) break;
    setCurrentDetails(`${written} memories written, some to be found by words alone for now: ${lacking}`);
    await condition(() => orders.length > 0, `${minutes} minutes`);
    await carryOut();
    lacking = await embedRest();
    await carryOut();
  }
  setCurrentDetails(`${written} memories written${lacking === null ? "" : `, without all vectors: ${lacking}`}`);
  return written;

  async function carryOut(): Promise<void> {
    for (let next = orders.shift(); next !== undefined; next = orders.shift()) await carryOutOne(next);
  }

  async function carryOutOne(next: MemoryOrder): Promise<void> {
    if (next.kind === "forget") {
      setCurrentDetails("forgetting all of it");
      const { kind: _, ...what } = next;
      return forgetRepository({ repository, ...what });
    }
    if (next.kind === "move") {
      const { kind: _, ...where } = next;
      setCurrentDetails(`handing all of it to ${next.to}`);
      return moveRepository({ repository, ...where });
    }
    const { since, revised } = next;
    for (let at = 0; at < next.memories.length; at += BATCH) {
      const memories = next.memories.slice(at, at + BATCH);
      setCurrentDetails(`writing ${memories.length} memories; ${orders.length} orders after it`);
      const order = { repository, memories, ...(since ? { since } : {}), ...(revised ? { revised } : {}) };
      const report = await storeMemories(order);
      written += memories.length - (report?.refused.length ?? 0) - (report?.left ?? 0);
      lacking = report?.lacking ?? lacking;
    }
  }

  /** What stands in the way, or null. */
  async function embedRest(): Promise<string | null> {
    try {
      return (await embedMemories({ repository })).lacking;
    } catch (error) {
      if (isCancellation(error)) throw error;
      return reasonOf(error);
    }
  }
}
