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
  let known: Known | null = null;

  /** Throws ServiceUnavailable while there is no server; the next call looks again. */
  async function now(): Promise<Runs> {
    const { address, webUi } = whereIsTemporal(config);
    const before = known;
    if (before !== null && before.address === address) return (await before.opened).runs;
    // Whoever asks at the same time waits for this connection, too.
    const opening: Known = { address, opened: open(config, address, webUi) };
    known = opening;
    try {
      return (await opening.opened).runs;
    } catch (error) {
      if (known === opening) known = null;
      throw error;
    } finally {
      await close(before);
    }
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
    close: () => close(known),
  };
}

interface Opened {
  connection: Connection;
  runs: Runs;
}

interface Known {
  address: string;
  opened: Promise<Opened>;
}

async function open(config: Config, address: string, webUi: string | null): Promise<Opened> {
  const connection = await connect(config, address);
  return { connection, runs: runsOver(connection, config, webUi) };
}

async function close(known: Known | null): Promise<void> {
  // One that never came up is told to whoever asked for it.
  const opened = await known?.opened.catch(() => null);
  await opened?.connection.close();
}
