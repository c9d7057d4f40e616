/** All in one process: an embedded Temporal server where none is named, one worker, and the API. */
import type { Config } from "../config/config.ts";
import { findTemporalCli } from "../scripts/setup/temporal-cli.mjs";
import { startApi } from "./api.ts";
import type { Log } from "./log.ts";
import { startTemporalServer } from "./temporal-server.ts";
import { startWorker } from "./worker.ts";

export interface Started {
  urls: { api: string; temporal: string; webUi: string | null };
  /** Settles when a part ended by itself; the reason tells which. */
  ended: Promise<never>;
  stop(): Promise<void>;
}

export async function startAll(config: Config, log: Log, signal: AbortSignal): Promise<Started> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    const server = await temporalServer(config, log);
    stops.push(server.stop);
    const connected: Config = { ...config, temporal: { ...config.temporal, address: server.address } };
    const api = await startApi(connected, log, server.webUi);
    stops.push(api.stop);
    const worker = await startWorker(connected, log, { links: () => api.links, signal });
    stops.push(worker.stop);
    const ended = Promise.race([
      worker.ended.then(() => Promise.reject(new Error("the worker ended"))),
      server.ended.then((reason) => Promise.reject(reason ?? new Error("the Temporal server ended"))),
    ]);
    ended.catch(() => undefined);
    return { urls: { api: api.url, temporal: server.address, webUi: server.webUi }, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface TemporalForUs {
  address: string;
  webUi: string | null;
  ended: Promise<Error | null>;
  stop(): Promise<void>;
}

async function temporalServer(config: Config, log: Log): Promise<TemporalForUs> {
  const { address, webUi, cli, namespace } = config.temporal;
  if (address !== null) return { address, webUi, ended: new Promise(() => undefined), stop: async () => undefined };
  const env = cli === null ? config.hostEnvironment : { ...config.hostEnvironment, TEMPORAL_CLI: cli };
  const found = await findTemporalCli({
    log: { line: (line) => log.info(line), live: (line) => log.debug(line) },
    allowInstall: true,
    env,
  });
  return startTemporalServer({ home: config.home, cli: found.path, log, namespace, codecEndpoint: codecOf(config) });
}

/** Known before the API listens only where its port is a fixed one. */
function codecOf({ publicUrl, host, port }: Config): string | null {
  if (publicUrl !== null) return `${publicUrl}/codec`;
  if (port === 0) return null;
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}/codec`;
}
