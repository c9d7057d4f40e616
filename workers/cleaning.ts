/**
 * Cleans up on this worker's machine, at its start and then now and then: what killed processes have left in folders, and mirrors
 * whose repositories rest. A loop in each worker and no Schedule, because only this machine's folders are looked at.
 */
import { join } from "node:path";
import type { Client } from "@temporalio/client";
import { removeUnfinished } from "../activities/adapters/artifacts/file.ts";
import type { GitMirror } from "../activities/adapters/git/mirror.ts";
import { removeHalfMade } from "../activities/adapters/sandbox/local.ts";
import { openRuns } from "../activities/runs-in-temporal.ts";
import type { Config } from "../config/config.ts";
import { sameRepository } from "../domain/ids.ts";
import type { Log } from "./log.ts";

export interface CleaningOptions {
  config: Pick<Config, "home" | "artifacts">;
  mirror: Pick<GitMirror, "removeLeftovers" | "mirrors" | "release" | "tidy">;
  client: Client;
  log: Log;
}

/** A mirror grows by some packs a day; packing it costs seconds to minutes. */
const TIDY_AFTER_MS = 24 * 60 * 60_000;
/** Where there is always a run, fetches wait for the packing now and then. */
const TIDY_BUSY_AFTER_MS = 7 * TIDY_AFTER_MS;

/** Names of what was removed. */
export async function removeLeftovers(
  { config, mirror, log }: Omit<CleaningOptions, "client">,
  signal: AbortSignal,
): Promise<string[]> {
  const removed = [
    ...(await mirror.removeLeftovers(signal)),
    ...(await removeHalfMade(join(config.home, "sandboxes"))),
    ...(config.artifacts.kind === "file" ? await removeUnfinished(config.artifacts.directory) : []),
  ];
  if (removed.length > 0) log.info({ removed }, "what a killed process had left was removed");
  return removed;
}

/**
 * Packs each mirror that was not tidied for a day, and lets go of what its runs took in once none is at work: should one want
 * it again, it is in the artifact store. Git itself keeps what is younger than two weeks.
 */
export async function tidyMirrors(
  { mirror, client, log }: Omit<CleaningOptions, "config">,
  signal: AbortSignal,
  now = Date.now(),
): Promise<void> {
  const old = (await mirror.mirrors()).filter(({ tidiedAt }) => now - tidiedAt > TIDY_AFTER_MS);
  if (old.length === 0) return;
  const open = await openRuns(client);
  for (const { repository, tidiedAt } of old) {
    signal.throwIfAborted();
    const busy = open.some((run) => sameRepository(run.repository, repository));
    if (busy && now - tidiedAt <= TIDY_BUSY_AFTER_MS) continue;
    if (!busy) await mirror.release(repository, "all", signal);
    await mirror.tidy(repository, signal);
    log.info({ repository, released: !busy }, "mirror tidied");
  }
}
