/** Git processes that a small process starts for this one: `spawner.mjs` says why. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ServiceUnavailable } from "../../../domain/errors.ts";
import { type GitEnd, type GitOrder, runGitProcess } from "./git-process.mjs";
import type { FromSpawner, ToSpawner } from "./spawner.mjs";

/** How a git process is run to its end. Rejects with Node's error (ENOENT, EAGAIN) when it cannot be started. */
export type RunGitProcess = (order: GitOrder, stop: AbortSignal) => Promise<GitEnd>;

/** Input above this is not handed on from process to process, which would hold it in memory several times. */
const LARGE_INPUT_BYTES = 16 * 1024 * 1024;

const program = fileURLToPath(new URL("spawner.mjs", import.meta.url));

/**
 * The small process is started with the first call, and again when it has died; it ends with this process, however that
 * ends. Calls that it took along reject with ServiceUnavailable: what they did is not known.
 */
export function gitApart(): RunGitProcess {
  let spawner: Spawner | null = null;
  return async (order, stop) => {
    if (order.input.length > LARGE_INPUT_BYTES) return await runGitProcess(order, stop);
    if (!spawner?.process.connected) spawner = startSpawner();
    return await runBy(spawner, order, stop);
  };
}

interface Spawner {
  process: ChildProcess;
  /** Calls that have not ended, by their ids. */
  calls: Map<number, { resolve(end: GitEnd): void; reject(error: Error): void }>;
  lastId: number;
}

function startSpawner(): Spawner {
  const child = fork(program, {
    execArgv: [],
    env: {},
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const spawner: Spawner = { process: child, calls: new Map(), lastId: 0 };
  const gone = (how: string) => {
    for (const call of spawner.calls.values())
      call.reject(new ServiceUnavailable("git", `The process that starts git for the worker ${how}.`));
  };
  child.on("message", (message: FromSpawner) => {
    const call = spawner.calls.get(message.id);
    if (message.kind === "ended") call?.resolve(message.end);
    else call?.reject(Object.assign(new Error(message.message), { code: message.code }));
  });
  child.on("error", (error) => gone(`failed: ${error.message}`));
  child.on("exit", (code, signal) => gone(`ended with ${signal ?? `exit code ${code}`}`));
  // It holds up nobody's end; a call that waits does.
  child.unref();
  child.channel?.unref();
  return spawner;
}

async function runBy(spawner: Spawner, order: GitOrder, stop: AbortSignal): Promise<GitEnd> {
  const { process: child, calls } = spawner;
  const id = ++spawner.lastId;
  // One that cannot be told anything has ended; `exit` rejects its calls.
  const tell = (message: ToSpawner) => void (child.connected && child.send(message, () => undefined));
  const end = () => tell({ kind: "stop", id });
  try {
    return await new Promise((resolve, reject) => {
      calls.set(id, { resolve, reject });
      child.channel?.ref();
      tell({ kind: "run", id, order });
      stop.addEventListener("abort", end, { once: true });
      if (stop.aborted) end();
    });
  } finally {
    stop.removeEventListener("abort", end);
    calls.delete(id);
    if (calls.size === 0) child.channel?.unref();
  }
}
