/**
 * A worker that starts finds sandboxes that one before it has left open at this home, and whose runs come back to them: each has its
 * place from the start, so that no other run is let in there.
 */
import type { Sandboxes } from "../domain/ports.ts";
import type { Log } from "./log.ts";
import type { Places } from "./places.ts";
import type { Uses } from "./uses.ts";

export interface AdoptOptions {
  sandboxes: Pick<Sandboxes, "known">;
  places: Pick<Places, "enter">;
  uses: Pick<Uses, "lastUse">;
  log: Pick<Log, "info" | "warn">;
}

/** Keys of the sandboxes that have a place now. An engine that is down when the worker starts keeps none of them from working later. */
export async function adopt({ sandboxes, places, uses, log }: AdoptOptions): Promise<string[]> {
  try {
    const adopted: string[] = [];
    for (const { key, runKey } of await sandboxes.known()) {
      // On an engine that several homes share, those that were never used from here are another's.
      if ((await uses.lastUse(key)) !== null && places.enter(runKey, key)) adopted.push(key);
    }
    if (adopted.length > 0)
      log.info({ sandboxes: adopted }, "sandboxes of a worker before this one were found, and kept");
    return adopted;
  } catch (error) {
    log.warn({ err: error }, "the sandboxes that a worker before this one has left could not be looked for");
    return [];
  }
}
