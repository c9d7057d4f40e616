/**
 * Git's own `*.lock` files, left behind by a git that was killed. Git holds one for milliseconds while it writes a ref, so
 * one that stands for seconds is nobody's; git itself never removes it and would fail for ever.
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GitFailed } from "../../../domain/errors.ts";

/** Long for a ref, short for a person who waits. */
const STALE_AFTER_MS = 5_000;

/** Runs `work`; when it fails on a lock file, waits until that is gone or stale, removes it, and tries again. */
export async function withoutStaleLocks<T>(gitDir: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const until = Date.now() + 4 * STALE_AFTER_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof GitFailed) || !isLockFault(error.message) || Date.now() > until) throw error;
    }
    if ((await removeStale(gitDir)) === 0) await sleep(100 + Math.random() * 100, undefined, { signal });
  }
}

export function isLockFault(text: string): boolean {
  return /\.lock['"]?: File exists|unable to lock|could not lock|another git process/i.test(text);
}

/** @returns how many were removed. */
async function removeStale(gitDir: string): Promise<number> {
  let removed = 0;
  for (const path of await lockFiles(gitDir)) {
    const info = await stat(path).catch(() => null);
    if (info === null || Date.now() - info.mtimeMs < STALE_AFTER_MS) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}

async function lockFiles(gitDir: string): Promise<string[]> {
  const top = (await readdir(gitDir)).filter((name) => name.endsWith(".lock")).map((name) => join(gitDir, name));
  const below = await Promise.all(
    ["refs", "logs"].map(async (folder) => {
      const names = await readdir(join(gitDir, folder), { recursive: true }).catch(() => [] as string[]);
      return names.filter((name) => name.endsWith(".lock")).map((name) => join(gitDir, folder, name));
    }),
  );
  return [...top, ...below.flat()];
}
