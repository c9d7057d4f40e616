/** Sandboxes that are none: plain processes in a folder. For demonstrations and tests, and only where they are asked for by name. */
import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SandboxLost, SandboxUnavailable } from "../../../domain/errors.ts";
import type { Sandboxes, SandboxSpec } from "../../../domain/ports.ts";
import { removeLeftovers, temporaryName } from "../leftovers.ts";
import { commandServer } from "./command-server.ts";
import { type Channel, Connection, ConnectionLost } from "./connection.ts";
import { type SandboxLog, ServedSandbox } from "./served-sandbox.ts";
import { untilAborted } from "./waiting.ts";

export interface LocalOptions {
  /** Must be true: the caller says that somebody asked for unsandboxed commands (`EXECUTION_MODE=local`). */
  allowed: boolean;
  /** Folder of all local sandboxes, one below it for each. Another process with the same root finds them again. */
  root: string;
  /** The worker's PATH: with HOME and LANG all that commands see of its environment. Default: Node's folder and the usual ones. */
  path?: string;
  log?: SandboxLog;
}

export interface LocalSandboxes extends Sandboxes {
  /** Ends the sandboxes of a run, or those made longer ago than this, or all; tells their keys. */
  reap(which: { runKey?: string; olderThanMs?: number }): Promise<string[]>;
  /** Drops the connections of this process; what runs goes on. */
  disconnect(): void;
}

/** Throws SandboxUnavailable unless local commands were asked for. */
export function createLocalSandboxes(options: LocalOptions): LocalSandboxes {
  if (!options.allowed) {
    throw new SandboxUnavailable(
      "Commands run outside of a container only where EXECUTION_MODE=local asks for it. Start a Docker engine, or set that.",
    );
  }
  const opened = new Map<string, Promise<ServedSandbox>>();
  const path =
    options.path ?? `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

  async function open(spec: SandboxSpec): Promise<ServedSandbox> {
    const folder = folderOf(options.root, spec.key);
    const known = await opened.get(spec.key);
    if (known && (await exists(folder))) return known;
    const sandbox = prepare(folder, spec).then(async (real) => {
      const made = new ServedSandbox(servers(spec.key, real, path));
      await made.connect();
      options.log?.info(
        { sandbox: spec.key, folder: real },
        "commands of this sandbox run unsandboxed, as plain processes",
      );
      return made;
    });
    opened.set(spec.key, sandbox);
    sandbox.catch(() => opened.delete(spec.key));
    return sandbox;
  }

  async function close(key: string): Promise<void> {
    const folder = folderOf(options.root, key);
    const known = await opened.get(key)?.catch(() => undefined);
    opened.delete(key);
    if (await exists(folder)) {
      const sandbox = known ?? new ServedSandbox(servers(key, await realpath(folder), path));
      await sandbox.endEverything();
      sandbox.disconnect("it was closed.", true);
      // Retried: what was killed a moment ago may still be putting a file down.
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    }
    known?.disconnect("it was closed.", true);
  }

  return {
    kind: "local",
    async open(spec, signal) {
      signal.throwIfAborted();
      return untilAborted(open(spec), signal);
    },
    close,
    async known() {
      const keys = await keysIn(options.root);
      const notes = await Promise.all(keys.map(async (key) => ({ key, note: await noteOf(options.root, key) })));
      return notes.flatMap(({ key, note }) =>
        note?.workflowId === undefined
          ? []
          : [{ key, runKey: note.runKey, workflowId: note.workflowId, madeAt: note.madeAt }],
      );
    },
    async reap({ runKey, olderThanMs }) {
      const reaped: string[] = [];
      for (const key of await keysIn(options.root)) {
        const made = await noteOf(options.root, key);
        if (!made || (runKey !== undefined && made.runKey !== runKey)) continue;
        if (olderThanMs !== undefined && Date.now() - made.madeAt < olderThanMs) continue;
        await close(key);
        reaped.push(key);
      }
      return reaped;
    },
    disconnect() {
      for (const sandbox of opened.values())
        sandbox.then(
          (made) => made.disconnect("the worker let go of it."),
          () => {},
        );
      opened.clear();
    },
  };
}

const HALF_MADE = ".new";

/** Removes what killed processes have left half-made below the folder of all local sandboxes. */
export async function removeHalfMade(root: string): Promise<string[]> {
  return removeLeftovers(root, [HALF_MADE]);
}

async function keysIn(root: string): Promise<string[]> {
  const names = await readdir(root).catch(() => [] as string[]);
  return names.filter((name) => !name.startsWith("."));
}

/** Beside the tree: whose the folder is. */
const NOTE = "sandbox.json";

interface Note {
  runKey: string;
  workflowId?: string;
  repository: string;
  madeAt: number;
}

async function noteOf(root: string, key: string): Promise<Note | null> {
  return readFile(join(root, key, NOTE), "utf8").then(
    (text) => JSON.parse(text) as Note,
    () => null,
  );
}

function folderOf(root: string, key: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/.test(key))
    throw new SandboxUnavailable(
      `${JSON.stringify(key)} cannot be the key of a sandbox: letters, digits and dashes, at most 63.`,
    );
  return join(root, key);
}

async function prepare(folder: string, spec: SandboxSpec): Promise<string> {
  try {
    if (await exists(folder)) return await realpath(folder);
    const note: Note = {
      runKey: spec.runKey,
      workflowId: spec.workflowId,
      repository: spec.repository,
      madeAt: Date.now(),
    };
    // Made beside and moved into place with its note: a folder of which nobody knows whose it is would stay for ever.
    const fresh = join(dirname(folder), temporaryName(HALF_MADE));
    await mkdir(fresh, { recursive: true });
    await writeFile(join(fresh, NOTE), JSON.stringify(note));
    await rename(fresh, folder).catch(async (error: NodeJS.ErrnoException) => {
      await rm(fresh, { recursive: true, force: true });
      // Another worker was faster.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
    return await realpath(folder);
  } catch (error) {
    throw new SandboxUnavailable(`The folder ${folder} cannot be made: ${(error as Error).message}`, { cause: error });
  }
}

function servers(key: string, folder: string, path: string) {
  return {
    name: `Sandbox ${key}`,
    tree: join(folder, "tree"),
    scratch: join(folder, "scratch"),
    async connect(): Promise<Connection> {
      if (!(await exists(folder)))
        throw new SandboxLost(
          `Sandbox ${key} is gone: its folder ${folder} was removed. It is built anew when it is opened again.`,
        );
      try {
        return await Connection.open(startServer(key, folder, path));
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        throw new SandboxUnavailable(
          `Local commands need perl and bash on the PATH, and the command server did not start: ${error.message}`,
          { cause: error },
        );
      }
    },
  };
}

/** Detached, so that a Ctrl-C meant for the worker reaches no command. */
function startServer(key: string, folder: string, path: string): Channel {
  const [program, ...args] = commandServer(folder, "local", key);
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: path, HOME: join(folder, "home"), LANG: "C.UTF-8" },
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-2000)));
  const streams = [child.stdin, child.stdout, child.stderr] as unknown as { ref(): void; unref(): void }[];
  return {
    input: child.stdin,
    listen(onOutput, onEnd) {
      child.stdout.on("data", onOutput);
      child.on("error", (error) => onEnd(error.message));
      child.on("close", (code, signal) => onEnd(`The command server ended (${signal ?? code}). ${complaints}`.trim()));
    },
    hold(held) {
      for (const part of [child, ...streams]) {
        if (held) part.ref();
        else part.unref();
      }
    },
    destroy() {
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

async function exists(folder: string): Promise<boolean> {
  return stat(folder).then(
    () => true,
    () => false,
  );
}
