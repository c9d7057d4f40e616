/**
 * The one writer of what is remembered of a repository. What it was told is safe in its history until the store has it: a store that
 * is away for a week delays it, and an order that comes twice writes the same memory once.
 */
import { condition, setCurrentDetails, setHandler } from "@temporalio/workflow";
import { forgetRepository, moveRepository, storeMemories } from "./activities.ts";
import { type MemoryOrder, memoryOrderSignal } from "./messages.ts";

/** Memories that go to the store at once. */
const BATCH = 50;

/** Its result is how many memories it wrote. */
export async function keepMemories({ repository }: { repository: string }): Promise<number> {
  const orders: MemoryOrder[] = [];
  let written = 0;
  setHandler(memoryOrderSignal, (order) => void orders.push(order));
  // The order that started it may be handed over after the start.
  await condition(() => orders.length > 0, "1 minute");
  for (let next = orders.shift(); next !== undefined; next = orders.shift()) {
    if (next.kind === "forget") {
      setCurrentDetails("forgetting all of it");
      const { kind: _, ...what } = next;
      await forgetRepository({ repository, ...what });
      continue;
    }
    if (next.kind === "move") {
      const { kind: _, ...where } = next;
      setCurrentDetails(`handing all of it to ${next.to}`);
      await moveRepository({ repository, ...where });
      continue;
    }
    for (let at = 0; at < next.memories.length; at += BATCH) {
      const memories = next.memories.slice(at, at + BATCH);
      setCurrentDetails(`writing ${memories.length} memories; ${orders.length} orders after it`);
      const { since, revised } = next;
      const report = await storeMemories({
        repository,
        memories,
        ...(since ? { since } : {}),
        ...(revised ? { revised } : {}),
      });
      written += memories.length - (report?.refused.length ?? 0) - (report?.left ?? 0);
    }
  }
  setCurrentDetails(`${written} memories written`);
  return written;
}
