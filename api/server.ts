/** Listens, with time limits on everything that a slow or silent client could hold open. */
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import { ConfigurationError } from "../domain/errors.ts";
import { assertListenAddress } from "./loopback.ts";

export interface ListenOptions {
  host: string;
  /** 0: any free one. */
  port: number;
  apiToken: string | null;
  /** For a whole request to arrive; default 30 s. */
  requestTimeoutMs?: number;
}

export interface Listening {
  /** Such as `http://127.0.0.1:8000`, with the address that people can reach. */
  url: string;
  port: number;
  /** Ends open connections after at most a second, and resolves when all are gone. */
  close(): Promise<void>;
}

/** Throws ConfigurationError when the address may not be used without a token, or is taken. */
export async function listen(
  app: Hono,
  { host, port, apiToken, requestTimeoutMs = 30_000 }: ListenOptions,
): Promise<Listening> {
  assertListenAddress(host, apiToken);
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: {
      requestTimeout: requestTimeoutMs,
      headersTimeout: Math.min(10_000, requestTimeoutMs),
      keepAliveTimeout: 5_000,
      // Node looks for late requests only this often.
      connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs),
    },
  }) as Server;

  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(notListening(error, host, port));
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      resolve();
    });
  });
  const address = server.address();
  const actualPort = typeof address === "object" && address !== null ? address.port : port;
  return { url: `http://${reachable(host)}:${actualPort}`, port: actualPort, close: () => closeServer(server) };
}

function notListening(error: NodeJS.ErrnoException, host: string, port: number): ConfigurationError {
  const why =
    error.code === "EADDRINUSE"
      ? "another program listens there. Stop it, or set PORT to another number"
      : `${error.message}. Check HOST and PORT`;
  return new ConfigurationError([`Cannot listen on ${host}:${port}: ${why}.`], { cause: error });
}

/** "Every address" is none that a browser can open. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  const impatience = setTimeout(() => server.closeAllConnections(), 1_000);
  await closed;
  clearTimeout(impatience);
}
