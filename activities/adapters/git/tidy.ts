/** Upkeep of the mirrors on this machine: what killed processes left in them is removed, and what nobody needs is packed away. */
import { readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RepositoryName } from "../../../domain/ids.ts";
import { removeLeftovers } from "../leftovers.ts";
import { releaseForTheDead } from "./lock.ts";
import { ownFolder, SCRATCH, type Tools } from "./tools.ts";

export interface KnownMirror {
  repository: RepositoryName;
  /** Milliseconds since 1970 of the last tidying; of the making of the mirror where there was none. */
  tidiedAt: number;
}

/** Of a mirror that is being made. */
export const HALF_MADE = ".new";
/** Its time is that of the last tidying. */
const TIDIED = "tidied";
/** Packs that a killed git was receiving. No transfer takes as long. */
const UNFINISHED_PACK_AFTER_MS = 60 * 60_000;

export async function isMirror(gitDir: string): Promise<boolean> {
  const head = await stat(join(gitDir, "HEAD")).catch(() => null);
  return head?.isFile() ?? false;
}

export async function mirrorsIn(dir: string): Promise<KnownMirror[]> {
  const found: KnownMirror[] = [];
  for (const owner of await namesIn(dir))
    for (const name of await namesIn(join(dir, owner))) {
      const gitDir = join(dir, owner, name);
      if (!name.endsWith(".git") || !(await isMirror(gitDir))) continue;
      const tidied = await stat(join(ownFolder(gitDir), TIDIED)).catch(() => stat(join(gitDir, "HEAD")));
      found.push({ repository: `${owner}/${name.slice(0, -".git".length)}`, tidiedAt: tidied.mtimeMs });
    }
  return found;
}

export async function removeLeftoversOfMirrors(dir: string, signal: AbortSignal): Promise<string[]> {
  const removed: string[] = [];
  for (const owner of await namesIn(dir)) {
    removed.push(...(await removeLeftovers(join(dir, owner), [HALF_MADE])));
    for (const name of await namesIn(join(dir, owner))) {
      const gitDir = join(dir, owner, name);
      if (!(await isMirror(gitDir))) continue;
      removed.push(...(await removeLeftovers(ownFolder(gitDir), [SCRATCH])));
      await releaseForTheDead(join(ownFolder(gitDir), "lock"), signal);
    }
  }
  return removed;
}

/** To be called by the holder of the mirror's lock. */
export async function tidy(tools: Tools, gitDir: string, signal: AbortSignal): Promise<void> {
  await removeUnfinishedPacks(join(gitDir, "objects", "pack"));
  await tools.ok(gitDir, ["gc", "--quiet", "--prune=2.weeks.ago"], signal, {
    timeoutMs: tools.limits.networkTimeoutMs,
  });
  const path = join(ownFolder(gitDir), TIDIED);
  await writeFile(path, "");
  await utimes(path, new Date(), new Date());
}

async function removeUnfinishedPacks(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (!name.startsWith("tmp_")) continue;
    const info = await stat(join(folder, name)).catch(() => null);
    if (info && Date.now() - info.mtimeMs > UNFINISHED_PACK_AFTER_MS) await rm(join(folder, name), { force: true });
  }
}

/** No folder has no names. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
}
