/** How a worker finds its Temporal server: one that is away is waited for, as the API does it, and what is wrong for good is told. */
import { setTimeout as sleep } from "node:timers/promises";
import { NativeConnection, TransportError } from "@temporalio/worker";
import type { Config } from "../config/config.ts";
import { ConfigurationError } from "../domain/errors.ts";
import { connectionOptions } from "./connect.ts";
import { isStatus } from "./grpc.ts";
import type { Log } from "./log.ts";

/** A server that is restarted is back within seconds. */
const AGAIN_MS = 1_000;
/** So often the log says that it is still away. */
const TELL_EVERY_MS = 30_000;

export interface Reached<T> {
  connection: NativeConnection;
  /** What was asked of the server at the first meeting. */
  met: T;
}

/**
 * Connects and asks, until the server answers. Throws ConfigurationError for a namespace that does not exist and a key that is
 * refused, and the signal's reason once that fires.
 */
export async function reachTemporal<T>(
  config: Config,
  log: Log,
  signal: AbortSignal | undefined,
  meet: (connection: NativeConnection) => Promise<T>,
): Promise<Reached<T>> {
  const options = connectionOptions(config);
  let toldAt: number | null = null;
  for (;;) {
    signal?.throwIfAborted();
    let connection: NativeConnection | null = null;
    try {
      connection = await NativeConnection.connect(options);
      const met = await meet(connection);
      if (toldAt !== null) log.info({ address: options.address }, "Temporal answers");
      return { connection, met };
    } catch (error) {
      await connection?.close();
      if (!isAway(error)) throw explained(error, config);
      if (toldAt === null || Date.now() - toldAt >= TELL_EVERY_MS) {
        toldAt = Date.now();
        const text = `Temporal at ${options.address} does not answer; tried again until it does. Is it up, and is TEMPORAL_ADDRESS right?`;
        log.warn({ reason: String(error) }, text);
      }
    }
    await sleep(AGAIN_MS, undefined, signal && { signal });
  }
}

/** It is starting, overloaded, or cannot be reached. */
function isAway(error: unknown): boolean {
  return error instanceof TransportError || isStatus(error, "deadline exceeded", "resource exhausted", "unavailable");
}

function explained(error: unknown, { temporal: { address, namespace } }: Config): unknown {
  const options = { cause: error };
  if (isStatus(error, "not found")) {
    const text = `TEMPORAL_NAMESPACE: Temporal at ${address} has no namespace "${namespace}". Correct the name, or make it with \`temporal operator namespace create\`.`;
    return new ConfigurationError([text], options);
  }
  if (isStatus(error, "permission denied", "unauthenticated")) {
    const text = `TEMPORAL_API_KEY: Temporal at ${address} refuses us the namespace "${namespace}" (${String(error)}). Set a key that may use it.`;
    return new ConfigurationError([text], options);
  }
  return error;
}
