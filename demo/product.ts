/** The product as a process of its own, told everything by the environment that its documentation names. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Product {
  process: ChildProcess;
  /** Ends it in order; resolves when it is gone. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
}

export interface ProductOptions {
  /** Such as `["start"]` or `["worker"]`. */
  command: readonly string[];
  /** Where it finds mergewright.yaml. */
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** All that it prints goes there. */
  logFile: string;
  /** Another copy of the program than the one here. */
  program?: string;
}

const here = fileURLToPath(new URL("../bin/mergewright.mjs", import.meta.url));
/** What a program needs of its surroundings to run at all; nothing else of ours is handed down. */
const INHERITED = [
  "PATH",
  "HOME",
  "LANG",
  "TMPDIR",
  "DOCKER_HOST",
  "XDG_CACHE_HOME",
  "MERGEWRIGHT_CACHE",
  "HTTPS_PROXY",
  "NO_PROXY",
];

export function startProduct({ command, cwd, env, logFile, program = here }: ProductOptions): Product {
  const inherited = Object.fromEntries(
    INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const child = spawn(process.execPath, [program, ...command], {
    cwd,
    env: { ...inherited, LOG_LEVEL: "debug", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // Ctrl-C on the terminal is for the demo, which ends its parts in order.
    detached: true,
  });
  const log = createWriteStream(logFile, { flags: "a" });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const gone = once(child, "exit");
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await gone;
    }
  };
  return { process: child, stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
}

/** Waits until the API says that it is ready. Throws when the process ends before, or after `timeoutMs`. */
export async function untilReady(product: Product, url: string, logFile: string, timeoutMs = 90_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const { exitCode, signalCode } = product.process;
    if (exitCode !== null || signalCode !== null) {
      throw new Error(`Mergewright ended (${exitCode ?? signalCode}) before it was ready. Its log: ${logFile}`);
    }
    if (Date.now() > deadline)
      throw new Error(`Mergewright was not ready within ${timeoutMs / 1000} s. Its log: ${logFile}`);
    if (await isReady(url)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(5_000) });
    const { status, degraded } = (await answer.json()) as { status: string; degraded: string[] };
    return status === "ready" && !degraded.includes("worker");
  } catch {
    return false;
  }
}
