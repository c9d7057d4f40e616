/**
 * One worker at a time in a mirror, among all processes that share the folder, and nobody locked out by a `kill -9`.
 *
 * Each holder makes the file `lock/<n>`, one higher than the last, by a hard link: that either succeeds with its content
 * complete or fails because another was first. The highest number counts; it is kept when released (marked free) and
 * only removed once a higher one stands. So a dead holder is overtaken, never deleted from under a living one, which is
 * the race of every "remove the stale lock file" scheme.
 */
import { link, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { removeLeftovers, temporaryName } from "../leftovers.ts";
import { hasEnded, type ProcessMark, thisProcess } from "../processes.ts";

interface Holder extends ProcessMark {
  free: boolean;
}

const HEARTBEAT_MS = 10_000;
/** A holder on another machine, whose process cannot be seen, counts as dead after this long without a heartbeat. */
const LOST_AFTER_MS = 120_000;
const POLL_MS = 50;
const UNFINISHED = "new";

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

/** What a killed holder has left in the folder: the lock is given back in its name, and its unfinished files go. */
export async function releaseForTheDead(folder: string, signal: AbortSignal): Promise<void> {
  const newest = await highest(folder).catch(() => null);
  if (newest === null) return;
  await removeLeftovers(folder, [UNFINISHED]);
  if (!(await isFree(folder, newest)) && (await isOver(folder, newest)))
    await withLock(folder, signal, async () => undefined);
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
  const temporary = join(folder, temporaryName(UNFINISHED));
  const holder: Holder = { ...thisProcess(), free };
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

async function isFree(folder: string, number: number): Promise<boolean> {
  const text = await readFile(join(folder, String(number)), "utf8").catch(() => "{}");
  try {
    return (JSON.parse(text) as Partial<Holder>).free === true;
  } catch {
    // Cut off by a power cut: nobody gave it back.
    return false;
  }
}

/** Free, dead, or without a heartbeat. A file that vanished was overtaken: look again. */
async function isOver(folder: string, number: number): Promise<boolean> {
  const path = join(folder, String(number));
  try {
    const holder = JSON.parse(await readFile(path, "utf8")) as Holder;
    if (holder.free) return true;
    const ended = hasEnded(holder);
    if (ended !== null) return ended;
    return Date.now() - (await stat(path)).mtimeMs > LOST_AFTER_MS;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    // A power cut can leave an empty file: nobody holds it.
    if (error instanceof SyntaxError) return true;
    throw error;
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
