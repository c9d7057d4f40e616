/** One set-up at a time: a lock file with its owner's process id. A lock whose owner has died is taken over. */
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { dirname } from "node:path";

const HEARTBEAT_MS = 2_000;
/** Only for a lock that a process on another machine (or in another container) holds, where its pid tells nothing. */
const SILENT_MS = 30_000;
const POLL_MS = 150;

/**
 * Runs `work` while holding the lock. `recovered` is true when an earlier owner died in the middle: what it was making
 * may be half done.
 * @template T
 * @param {string} path
 * @param {(state: { recovered: boolean }) => Promise<T>} work
 * @param {(owner: string) => void} [onWait] Called once when another process holds the lock.
 * @returns {Promise<T>}
 */
export async function withLock(path, work, onWait) {
  await mkdir(dirname(path), { recursive: true });
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), token: randomUUID() });
  const recovered = await acquire(path, mine, onWait);
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => clearInterval(heartbeat));
  }, HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work({ recovered });
  } finally {
    clearInterval(heartbeat);
    if ((await read(path)) === mine) await rm(path, { force: true });
  }
}

/**
 * @param {string} path
 * @param {string} mine
 * @param {((owner: string) => void) | undefined} onWait
 */
async function acquire(path, mine, onWait) {
  let recovered = false;
  let told = false;
  for (;;) {
    if (await create(path, mine)) return recovered;
    const held = await read(path);
    if (held === null) continue;
    if (await isStale(path, held)) {
      if (await takeAway(path, held)) recovered = true;
      continue;
    }
    if (!told) onWait?.(describe(held));
    told = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * Written aside and linked into place, so that no reader ever sees a lock without its owner.
 * @param {string} path
 * @param {string} content
 */
async function create(path, content) {
  const aside = `${path}.${randomUUID()}`;
  await writeFile(aside, content);
  try {
    await link(aside, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/**
 * Two processes may find the same stale lock; whoever moves away a lock that is not the stale one puts it back.
 * @param {string} path
 * @param {string} stale
 */
async function takeAway(path, stale) {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
  const moved = await read(aside);
  if (moved !== stale) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
  return moved === stale;
}

/**
 * @param {string} path
 * @param {string} held
 */
async function isStale(path, held) {
  const owner = parse(held);
  if (owner && owner.host === hostname()) return !isAlive(owner.pid);
  const seen = await stat(path).catch(() => null);
  return seen !== null && Date.now() - seen.mtimeMs > SILENT_MS;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** @param {string} held */
function describe(held) {
  const owner = parse(held);
  return owner ? `process ${owner.pid}${owner.host === hostname() ? "" : ` on ${owner.host}`}` : "another process";
}

/**
 * @param {string} held
 * @returns {{ pid: number, host: string } | null}
 */
function parse(held) {
  try {
    const { pid, host } = JSON.parse(held);
    return Number.isInteger(pid) && typeof host === "string" ? { pid, host } : null;
  } catch {
    return null;
  }
}

/** @param {string} path */
async function read(path) {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
