/** The way from a command to the runs: the Temporal server that is set, or the embedded one that runs now. */
import { type Client, Connection } from "@temporalio/client";
import { createRuns, type Runs } from "../api/runs.ts";
import type { Config } from "../config/config.ts";
import { ServiceUnavailable } from "../domain/errors.ts";
import { parseRunId } from "../domain/ids.ts";
import { createArtifacts, keptIn } from "../workers/artifacts.ts";
import { clientOver } from "../workers/connect.ts";
import { findTemporalServer } from "../workers/temporal-state.ts";
import { UsageError } from "./errors.ts";

const CONNECT_MS = 8_000;

/** Throws ServiceUnavailable when there is no server or it does not answer. */
export async function withClient<T>(config: Config, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await connect(config, whereIsTemporal(config).address);
  try {
    return await use(clientOver(connection, config));
  } finally {
    await connection.close();
  }
}

/** Throws ServiceUnavailable when there is no server or it does not answer. */
export async function withRuns<T>(config: Config, use: (runs: Runs) => Promise<T>): Promise<T> {
  const { address, webUi } = whereIsTemporal(config);
  const connection = await connect(config, address);
  try {
    return await use(runsOver(connection, config, webUi));
  } finally {
    await connection.close();
  }
}

export function runsOver(connection: Connection, config: Config, webUi: string | null): Runs {
  return createRuns({
    client: clientOver(connection, config),
    settingsFor: (repository) => config.settingsFor(repository),
    links: () => ({ page: null, webUi }),
    isKept: keptIn(createArtifacts(config)),
  });
}

export function whereIsTemporal(config: Config): { address: string; webUi: string | null } {
  if (config.temporal.address) return { address: config.temporal.address, webUi: null };
  const running = findTemporalServer(config.home);
  if (running) return running;
  throw new ServiceUnavailable(
    "Temporal",
    `No Temporal server runs with ${config.home}. Start one with \`mergewright start\`, or name one in TEMPORAL_ADDRESS.`,
  );
}

export async function connect(config: Config, address: string): Promise<Connection> {
  const { tls, apiKey } = config.temporal;
  try {
    return await Connection.connect({ address, tls, connectTimeout: CONNECT_MS, ...(apiKey ? { apiKey } : {}) });
  } catch (error) {
    throw new ServiceUnavailable(
      "Temporal",
      `Temporal at ${address} does not answer. Is it up, and is TEMPORAL_ADDRESS right?`,
      { cause: error },
    );
  }
}

/** A workflow id or `OWNER/REPO#NUMBER`, as a workflow id. */
export function runIdOf(text: string, command: string): string {
  const id = parseRunId(text);
  if (id) return id;
  throw new UsageError(
    `"${text.slice(0, 80)}" is not a run. Write OWNER/REPO#NUMBER, or a workflow id such as issue/OWNER/REPO/NUMBER.`,
    command,
  );
}
