/** How this process reaches Temporal. */
import { Client, Connection } from "@temporalio/client";
import type { Config, TemporalConfig } from "../config/config.ts";
import { ConfigurationError } from "../domain/errors.ts";
import { dataConverterFor } from "./payloads/data-converter.ts";

export interface TemporalAccess {
  client: Client;
  connection: Connection;
}

/** For clients and workers alike. Throws ConfigurationError while no address is known. */
export function connectionOptions({ temporal }: Config): {
  address: string;
  tls: TemporalConfig["tls"];
  apiKey?: string;
} {
  const { address, apiKey, tls } = temporal;
  if (address === null) {
    throw new ConfigurationError([
      "No Temporal server is known. Set TEMPORAL_ADDRESS, or run `mergewright start`, which brings one.",
    ]);
  }
  return { address, tls, ...(apiKey === null ? {} : { apiKey }) };
}

/** A client that connects when it is first used, so that the API comes up while Temporal is away. */
export function lazyClient(config: Config): TemporalAccess {
  const connection = Connection.lazy(connectionOptions(config));
  return { connection, client: clientOver(connection, config) };
}

/** The one way to a client: it reads and writes payloads as the workers do. */
export function clientOver(connection: Connection, config: Config): Client {
  return new Client({ connection, namespace: config.temporal.namespace, dataConverter: dataConverterFor(config) });
}
