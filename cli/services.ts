/** The commands that stay: they start a part of the program and end it in order when they are told to. */
import { createLog, type Log } from "../workers/log.ts";
import type { Config, Need } from "../config/config.ts";
import type { EnvironmentName } from "../config/environment.ts";
import { loadConfig } from "../config/load.ts";
import { DONE, FAILED } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

export interface Service {
  stop(): Promise<void>;
  /** Settles when it ends by itself. */
  ended?: Promise<unknown>;
}

const HELD_FOR_MS = 2_000;

interface Serve {
  needs: readonly Need[];
  args?: Partial<Record<EnvironmentName, string>>;
  /** The signal ends a start that waits for something. */
  start: (config: Config, log: Log, signal: AbortSignal) => Promise<Service>;
}

/** Runs until SIGINT or SIGTERM, or until the part ends by itself. A second signal ends it at once. */
export async function serve(terminal: Terminal, { needs, args = {}, start }: Serve): Promise<number> {
  const config = loadConfig({ env: terminal.env, cwd: terminal.cwd, args, needs });
  const log = createLog({ level: config.logLevel, secrets: config.secrets() });
  for (const warning of config.warnings) log.warn(warning);
  // A promise that nobody waited for is a fault of ours; the process is in no known state after it.
  process.on("unhandledRejection", (reason) => {
    log.fatal({ err: reason }, "an error that nobody handled; ending");
    process.exit(FAILED);
  });

  const signal = told();
  const giveUp = new AbortController();
  const starting = start(config, log, giveUp.signal);
  const first = await Promise.race([starting, signal.first]);
  if (typeof first === "string") {
    log.info({ signal: first }, "told to end while starting");
    giveUp.abort();
    // What came up in the meantime is ended as well.
    await starting.then(
      (service) => service.stop(),
      () => undefined,
    );
    return DONE;
  }
  const ending = await Promise.race([
    signal.first,
    first.ended?.then(asEnd, asEnd) ?? new Promise<never>(() => undefined),
  ]);
  if (typeof ending === "string") log.info({ signal: ending }, "ending; a second signal ends at once");
  else log.fatal({ err: ending.reason }, "a part ended by itself; ending");
  await first.stop();
  log.info("ended");
  if (typeof ending === "string") return DONE;
  // What failed may hold the process: whoever watches over it must see its end, and start another.
  setTimeout(() => process.exit(FAILED), HELD_FOR_MS).unref();
  return FAILED;
}

function asEnd(reason: unknown): { reason: unknown } {
  return { reason };
}

function told(): { first: Promise<NodeJS.Signals> } {
  let count = 0;
  const first = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      process.on(name, () => {
        count += 1;
        if (count > 1) process.exit(name === "SIGINT" ? 130 : 143);
        resolve(name);
      });
    }
  });
  return { first };
}
