/**
 * The embedded Temporal server: the CLI's dev server on a file, so that runs survive a restart of ours, of it, and of
 * the machine. Loopback only. For a cluster, `TEMPORAL_ADDRESS` names a real one instead.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Connection } from "@temporalio/client";
import { ConfigurationError, ServiceUnavailable } from "../domain/errors.ts";
import type { Log } from "./log.ts";
import { serverArguments } from "./temporal-flags.ts";
import { ensureRetention, ensureSearchAttributes } from "./temporal-namespace.ts";
import { endProcess, freePort, isFree, watchOver } from "./temporal-process.ts";
import { useStateDirectory } from "./state-directory.ts";
import { databaseOf, holdsDatabase, readState, takeHome, writeState, type RunningServer } from "./temporal-state.ts";

export { ensureSearchAttributes } from "./temporal-namespace.ts";
export { findTemporalServer } from "./temporal-state.ts";

export interface TemporalServerOptions {
  /** State directory; made when missing. One server at a time. */
  home: string;
  /** Path of a Temporal CLI. */
  cli: string;
  log: Log;
  namespace?: string;
  /** Taken or refused, never replaced. Without it: the port of last time, 7233, or any free one. */
  port?: number;
  uiPort?: number;
  /** For its Web UI: the codec server of the API that starts after it. */
  codecEndpoint?: string | null;
}

export interface TemporalServer extends RunningServer {
  /** Settles when it is over: null after `stop`, otherwise why it could not be kept up. */
  ended: Promise<ServiceUnavailable | null>;
  stop(): Promise<void>;
}

const START_MS = 60_000;
const STOP_MS = 10_000;
/** One that dies at once each time will not get better by itself. */
const MAX_RESTARTS = 5;
const RESTARTS_FORGOTTEN_AFTER_MS = 10 * 60_000;

/** Throws ConfigurationError (port or directory taken) or ServiceUnavailable (the server does not come up). */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { home, log } = options;
  useStateDirectory(home);
  const giveBack = takeHome(home);
  try {
    await endOrphan(home, log);
    const first = await launchOnFreePort(options);
    return supervise(first, options, giveBack);
  } catch (error) {
    giveBack();
    throw error;
  }
}

interface Launched {
  server: RunningServer;
  child: ChildProcess;
  watchdog: ChildProcess;
  exit: Promise<string>;
}

/** Brings a server that dies up again on its old port: clients and workers reconnect by themselves. */
function supervise(first: Launched, options: TemporalServerOptions, giveBack: () => void): TemporalServer {
  const { home, log } = options;
  let current = first;
  let stopping: Promise<void> | null = null;
  const restarts: number[] = [];

  const watch = async (): Promise<ServiceUnavailable | null> => {
    for (;;) {
      const said = await current.exit;
      if (stopping) return null;
      current.watchdog.kill("SIGKILL");
      const recent = restarts.filter((at) => Date.now() - at < RESTARTS_FORGOTTEN_AFTER_MS).length;
      if (recent >= MAX_RESTARTS)
        return failed(`The Temporal server ended ${recent} times within minutes. It said: ${said}`);
      restarts.push(Date.now());
      log.error({ pid: current.server.pid, said }, "the Temporal server ended by itself; it is started again");
      try {
        await pause(250 * recent);
        const ports = { port: portOf(current.server.address), uiPort: portOf(new URL(current.server.webUi).host) };
        const next = await launch(options, ports);
        current = next;
        if (stopping) await end(next);
      } catch (error) {
        return failed(`The Temporal server ended and cannot be started again: ${(error as Error).message}`);
      }
    }
  };
  const failed = (message: string): ServiceUnavailable => {
    log.fatal(message);
    rmSync(join(home, "temporal.json"), { force: true });
    giveBack();
    return new ServiceUnavailable("Temporal", message);
  };

  const stop = async (): Promise<void> => {
    await end(current);
    // One that was just being started again is ended there.
    await ended;
    rmSync(join(home, "temporal.json"), { force: true });
    giveBack();
  };
  const ended = watch();
  const { address, webUi } = first.server;
  return {
    address,
    webUi,
    get pid() {
      return current.server.pid;
    },
    ended,
    stop: () => (stopping ??= stop()),
  };
}

async function end(launched: Launched): Promise<void> {
  launched.watchdog.kill("SIGKILL");
  if (launched.child.exitCode !== null || launched.child.signalCode !== null) return;
  launched.child.kill("SIGTERM");
  const late = setTimeout(() => launched.child.kill("SIGKILL"), STOP_MS);
  await launched.exit;
  clearTimeout(late);
}

/** A server whose owner was killed, and that outlived it. Two on one database would ruin it. */
async function endOrphan(home: string, log: Log): Promise<void> {
  const known = readState(home);
  if (!known || !holdsDatabase(known.pid, home)) return;
  log.warn({ pid: known.pid }, "a Temporal server of an earlier start still holds the database; ending it");
  if (await endProcess(known.pid, STOP_MS)) return;
  throw new ConfigurationError([
    `MERGEWRIGHT_HOME: process ${known.pid} still holds ${databaseOf(home)} and cannot be ended. End it by hand: kill -9 ${known.pid}.`,
  ]);
}

async function launchOnFreePort(options: TemporalServerOptions): Promise<Launched> {
  for (let attempt = 1; ; attempt++) {
    const ports = await choosePorts(options);
    try {
      return await launch(options, ports);
    } catch (error) {
      // Somebody took the port between our look and the server's.
      const taken = error instanceof ServiceUnavailable && /address already in use/i.test(error.message);
      if (!taken || attempt === 3) throw error;
    }
  }
}

interface Ports {
  port: number;
  uiPort: number;
}

async function choosePorts({ home, port, uiPort }: TemporalServerOptions): Promise<Ports> {
  for (const [name, asked] of Object.entries({ port, uiPort })) {
    if (asked !== undefined && !(await isFree(asked))) {
      throw new ConfigurationError([
        `Temporal ${name} ${asked} is taken by another program. Free it, or leave the choice to Mergewright.`,
      ]);
    }
  }
  const last = readState(home);
  const chosen = port ?? (await firstFree([last && portOf(last.address), 7233]));
  const lastUi = last && portOf(new URL(last.webUi).host);
  return { port: chosen, uiPort: uiPort ?? (await firstFree([lastUi, chosen + 1000])) };
}

async function firstFree(candidates: readonly (number | null)[]): Promise<number> {
  for (const port of candidates) if (port !== null && port < 65_536 && (await isFree(port))) return port;
  return freePort();
}

async function launch(options: TemporalServerOptions, { port, uiPort }: Ports): Promise<Launched> {
  const { home, cli, log, namespace = "default", codecEndpoint = null } = options;
  const child = spawn(cli, serverArguments({ database: databaseOf(home), namespace, port, uiPort, codecEndpoint }), {
    stdio: ["ignore", "ignore", "pipe"],
    // Away from the terminal's Ctrl-C, and without the keys in our environment.
    detached: true,
    env: { HOME: homedir() },
  });
  const started = once(child, "spawn");
  const tail: string[] = [];
  readLog(child, tail, log);
  const exit = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) =>
      resolve(tail.slice(-3).join(" | ") || (signal ? `(ended by ${signal})` : `(exit code ${code})`)),
    );
  });
  try {
    await started;
  } catch (error) {
    throw new ServiceUnavailable(
      "Temporal",
      `The Temporal CLI at ${cli} cannot be run: ${(error as Error).message}. Set TEMPORAL_CLI to one that can.`,
      { cause: error },
    );
  }
  const server = { address: `127.0.0.1:${port}`, webUi: `http://127.0.0.1:${uiPort}`, pid: child.pid! };
  writeState(home, server);
  const launched: Launched = { server, child, watchdog: watchOver(server.pid), exit };
  try {
    await untilReady(launched, namespace, log);
    return launched;
  } catch (error) {
    await end(launched);
    throw error;
  }
}

/** The last lines are kept for the moment when it ends; they tell why. */
function readLog(child: ChildProcess, tail: string[], log: Log): void {
  const server = log.child({ part: "temporal-server" });
  createInterface({ input: child.stderr! }).on("line", (line) => {
    if (line.trim() === "") return;
    tail.push(line.slice(0, 2000));
    if (tail.length > 20) tail.shift();
    // Starting and stopping it logs failed dials by the dozen: noise, unless somebody looks for something.
    server.debug({ line: line.slice(0, 2000) }, "said");
  });
}

async function untilReady({ server, child, exit }: Launched, namespace: string, log: Log): Promise<void> {
  const dead = exit.then((said) => {
    throw new ServiceUnavailable("Temporal", `The Temporal server ended while it was starting. It said: ${said}`);
  });
  dead.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const seconds = START_MS / 1000;
    const message = `The Temporal server at ${server.address} did not answer within ${seconds} s. Is the machine overloaded?`;
    timer = setTimeout(() => reject(new ServiceUnavailable("Temporal", message)), START_MS);
  });
  try {
    await Promise.race([untilServing(server.address, namespace, child), dead, late]);
  } finally {
    clearTimeout(timer);
  }
  const connection = await Connection.connect({ address: server.address });
  try {
    await ensureRetention(connection, namespace);
    const report = await ensureSearchAttributes(connection, namespace);
    if (report.reason) log.warn(report, "search attributes could not be registered");
  } finally {
    await connection.close();
  }
}

async function untilServing(address: string, namespace: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    if (await listens(portOf(address))) {
      try {
        const connection = await Connection.connect({ address, connectTimeout: 2000 });
        try {
          await connection.workflowService.describeNamespace({ namespace });
          return;
        } finally {
          await connection.close();
        }
      } catch {
        // It listens before it serves: asked again until the time limit.
      }
    }
    await pause(25);
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
