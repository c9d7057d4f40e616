/** The runs, for a program that stays: the server that runs now, found again when it is another one. */
import type { Connection } from "@temporalio/client";
import type { Runs } from "../../api/runs.ts";
import type { Config } from "../../config/config.ts";
import { connect, runsOver, whereIsTemporal } from "../client.ts";

export interface RunsAnew {
  runs: Runs;
  close(): Promise<void>;
}

export function runsAnew(config: Config): RunsAnew {
  let known: { address: string; connection: Connection; runs: Runs } | null = null;

  /** Throws ServiceUnavailable while there is no server; the next call looks again. */
  async function now(): Promise<Runs> {
    const { address, webUi } = whereIsTemporal(config);
    if (known?.address === address) return known.runs;
    const connection = await connect(config, address);
    await known?.connection.close();
    const runs = runsOver(connection, config, webUi);
    known = { address, connection, runs };
    return runs;
  }

  return {
    runs: {
      startRun: async (input) => (await now()).startRun(input),
      listRuns: async (options) => (await now()).listRuns(options),
      fork: async (input) => (await now()).fork(input),
      getRun: async (id) => (await now()).getRun(id),
      send: async (id, name, payload) => (await now()).send(id, name, payload),
      cancel: async (id) => (await now()).cancel(id),
    },
    async close() {
      await known?.connection.close();
    },
  };
}
