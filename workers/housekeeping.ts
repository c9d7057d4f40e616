/** The rounds that a worker makes on its own machine, beside its work: sandboxes, leftovers, mirrors, and room for runs. */
import type { Client } from "@temporalio/client";
import type { GitMirror } from "../activities/adapters/git/mirror.ts";
import type { Ports } from "../activities/index.ts";
import type { Config } from "../config/config.ts";
import { removeLeftovers, tidyMirrors } from "./cleaning.ts";
import { CROWD_EVERY_MS, makeRoom, standingInTemporal } from "./crowd.ts";
import type { Log } from "./log.ts";
import type { Places } from "./places.ts";
import { reap } from "./reaper.ts";
import { startRounds } from "./rounds.ts";
import type { Uses } from "./uses.ts";

export interface HousekeepingOptions {
  config: Config;
  ports: Pick<Ports, "sandboxes" | "artifacts"> & { mirror: GitMirror };
  client: Client;
  places: Places;
  uses: Uses;
  log: Log;
}

/** Begins at once. Returns how to stop it. */
export function startHousekeeping({ config, ports, client, places, uses, log }: HousekeepingOptions): () => void {
  const everyMs = config.upkeep.sandbox_minutes * 60_000;
  const idleMs = config.upkeep.idle_sandbox_minutes * 60_000;
  const { sandboxes, artifacts, mirror } = ports;
  const stops = [
    startRounds({
      work: () => reap({ client, sandboxes, artifacts, uses, idleMs, log }),
      failed: "leftover sandboxes could not be looked for; tried again later",
      everyMs,
      log,
    }),
    startRounds({
      work: (signal) => removeLeftovers({ config, mirror, log }, signal),
      failed: "what killed processes have left could not be removed; tried again later",
      everyMs,
      log,
    }),
    startRounds({
      work: (signal) => tidyMirrors({ mirror, client, log }, signal),
      failed: "mirrors could not be tidied; tried again later",
      everyMs,
      log,
    }),
    startRounds({
      work: () =>
        makeRoom({ standingOf: (workflowId) => standingInTemporal(client, workflowId), sandboxes, places, uses, log }),
      failed: "no room could be made on a full worker; tried again in a moment",
      everyMs: CROWD_EVERY_MS,
      log,
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
