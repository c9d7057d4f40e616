/** Closing the sandboxes of this machine one after the other: one that its engine cannot remove keeps no other from it. */
import type { Sandboxes } from "../domain/ports.ts";
import type { Log } from "./log.ts";

/** False: it could not be closed, which is told as `failed`. */
export async function closeOrTell(
  sandboxes: Pick<Sandboxes, "close">,
  { sandbox, ...about }: { sandbox: string; run?: string },
  failed: string,
  log: Log,
): Promise<boolean> {
  try {
    await sandboxes.close(sandbox);
    return true;
  } catch (error) {
    log.warn({ err: error, sandbox, ...about }, failed);
    return false;
  }
}
