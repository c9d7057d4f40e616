/** One process of the cluster: it can be killed without a warning and comes up again on its old port. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { watchOver } from "../../../workers/temporal-process.ts";

export interface Part {
  readonly name: string;
  /** null: it is not up. */
  readonly pid: number | null;
  /** Every process id that it has had. */
  readonly pids: readonly number[];
  /** Brings it up, if it is down; resolves when it answers, or when it was killed in between. */
  start(): Promise<void>;
  /** kill -9; resolves with the moment of the kill when it is gone. */
  kill(): Promise<number>;
  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

export interface PartOptions {
  name: string;
  program: string;
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  /** All that it prints goes there. */
  logFile: string;
  /** Throws, or answers false, while it is not ready. */
  isReady: () => Promise<boolean>;
}

const READY_WITHIN_MS = 90_000;
const ENDS_WITHIN_MS = 30_000;

export function createPart(options: PartOptions): Part {
  const { name, program, args, cwd, env, logFile, isReady } = options;
  let child: ChildProcess | null = null;
  let watchdog: ChildProcess | null = null;
  let gone: Promise<unknown> = Promise.resolve();
  let killed = false;
  let launching: Promise<void> | null = null;
  const pids: number[] = [];

  const launch = async (): Promise<void> => {
    const started = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    gone = once(started, "exit");
    await once(started, "spawn");
    const log = createWriteStream(logFile, { flags: "a" });
    log.write(`--- ${new Date().toISOString()} ${name} starts, process ${started.pid}\n`);
    started.stdout.pipe(log, { end: false });
    started.stderr.pipe(log, { end: false });
    // However the tests end, nothing of theirs outlives them.
    watchdog = watchOver(started.pid!);
    child = started;
    pids.push(started.pid!);
  };

  const isUp = (): boolean => child !== null && child.exitCode === null && child.signalCode === null;

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!isUp()) return;
    child!.kill(signal);
    const late = setTimeout(() => child!.kill("SIGKILL"), ENDS_WITHIN_MS);
    await gone;
    clearTimeout(late);
    watchdog?.kill("SIGKILL");
  };

  return {
    name,
    get pid() {
      return isUp() ? child!.pid! : null;
    },
    pids,
    async start() {
      killed = false;
      if (!isUp()) await (launching ??= launch().finally(() => (launching = null)));
      const deadline = Date.now() + READY_WITHIN_MS;
      while (!(await isReady().catch(() => false))) {
        if (!isUp() && killed) return;
        if (!isUp()) throw new Error(`${name} ended before it was ready. Its log: ${logFile}`);
        if (Date.now() > deadline)
          throw new Error(`${name} was not ready within ${READY_WITHIN_MS / 1000} s. Its log: ${logFile}`);
        await sleep(50);
      }
    },
    async kill() {
      const at = Date.now();
      killed = true;
      await end("SIGKILL");
      return at;
    },
    stop: () => end("SIGTERM"),
    signal: (signal) => void child?.kill(signal),
  };
}
