/**
 * One worker at a time in a mirror, among all processes that share the folder, and nobody locked out by a `kill -9`.
 *
 * Each holder makes the file `lock/<n>`, one higher than the last, by a hard link: that either succeeds with its content
 * complete or fails because another was first. The highest number counts; it is kept when released (marked free) and
 * only removed once a higher one stands. So a dead holder is overtaken, never deleted from under a living one, which is
 * the race of every "remove the stale lock file" scheme.
 */
import { randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

interface Holder {
  pid: number;
  /** When the process started, in the kernel's ticks: a reused pid differs. null where /proc is not there. */
  started: string | null;
  /** Host, boot and pid namespace: only there does the pid mean anything. */
  place: string;
  free: boolean;
}

const HEARTBEAT_MS = 10_000;
/** A holder on another machine, whose process cannot be seen, counts as dead after this long without a heartbeat. */
const LOST_AFTER_MS = 120_000;
const POLL_MS = 50;

const queues = new Map<string, Promise<void>>();

/** Runs `work` alone in `folder`. Waits as long as the signal lets it. */
export async function withLock<T>(folder: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  // Callers in this process wait in line, so that only one of them polls the folder.
  const before = queues.get(folder) ?? Promise.resolve();
  const mine = deferred();
  const line = before.then(() => mine.promise);
  queues.set(folder, line);
  try {
    await abortable(before, signal);
    const release = await acquire(folder, signal);
    try {
      return await work();
    } finally {
      await release();
    }
  } finally {
    mine.resolve();
    if (queues.get(folder) === line) queues.delete(folder);
  }
}

async function acquire(folder: string, signal: AbortSignal): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true });
  for (;;) {
    signal.throwIfAborted();
    const newest = await highest(folder);
    if (newest === null || (await isOver(folder, newest))) {
      const release = await claim(folder, (newest ?? 0) + 1);
      if (release) return release;
    } else await sleep(POLL_MS + Math.random() * POLL_MS, undefined, { signal });
  }
}

async function claim(folder: string, number: number): Promise<(() => Promise<void>) | null> {
  const path = join(folder, String(number));
  if (!(await publish(folder, path, false, link))) return null;
  // Somebody slower than us may have seen an old state: only the highest number holds.
  const numbers = await list(folder);
  if (numbers.some((other) => other > number)) {
    await rm(path, { force: true });
    return null;
  }
  for (const older of numbers) if (older < number) await rm(join(folder, String(older)), { force: true });
  const heartbeat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), HEARTBEAT_MS);
  heartbeat.unref();
  return async () => {
    clearInterval(heartbeat);
    await publish(folder, path, true, rename);
  };
}

/** Puts a complete file at `path`: by `link` only where none stands, by `rename` in place of the one that does. */
async function publish(
  folder: string,
  path: string,
  free: boolean,
  put: typeof link | typeof rename,
): Promise<boolean> {
  const temporary = join(folder, `new-${randomUUID()}`);
  const holder: Holder = { ...self(), free };
  try {
    await writeFile(temporary, JSON.stringify(holder));
    await put(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function list(folder: string): Promise<number[]> {
  return (await readdir(folder)).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function highest(folder: string): Promise<number | null> {
  const numbers = await list(folder);
  return numbers.length === 0 ? null : Math.max(...numbers);
}

/** Free, dead, or without a heartbeat. A file that vanished was overtaken: look again. */
async function isOver(folder: string, number: number): Promise<boolean> {
  const path = join(folder, String(number));
  try {
    const holder = JSON.parse(await readFile(path, "utf8")) as Holder;
    if (holder.free) return true;
    const me = self();
    if (holder.place === me.place && isGone(holder)) return true;
    if (holder.place === me.place && holder.started !== null) return false;
    return Date.now() - (await stat(path)).mtimeMs > LOST_AFTER_MS;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    // A power cut can leave an empty file: nobody holds it.
    if (error instanceof SyntaxError) return true;
    throw error;
  }
}

function isGone(holder: Holder): boolean {
  if (holder.started !== null) return startOf(holder.pid) !== holder.started;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

let known: Omit<Holder, "free"> | null = null;

function self(): Omit<Holder, "free"> {
  known ??= { pid: process.pid, started: startOf(process.pid), place: place() };
  return known;
}

function startOf(pid: number): string | null {
  const line = readOrNull(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  // Counted after the command's name, which may hold spaces and parentheses: field 3 is the state, field 22 the start.
  const fields = line?.slice(line.lastIndexOf(")") + 2).split(" ");
  // Z: it has ended, and only its parent has not taken note.
  return fields === undefined || fields[0] === "Z" ? null : (fields[19] ?? null);
}

function place(): string {
  const boot = readOrNull(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const pids = readOrNull(() => readlinkSync("/proc/self/ns/pid"));
  return [hostname(), boot, pids].join(" ");
}

/** /proc is Linux's alone, and a process that ended has no entry there. */
function readOrNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => undefined as void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

async function abortable(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let stop = () => undefined as void;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
