/**
 * Temporary files and folders. Their names tell which process made them, so that what a killed one has left is removed soon,
 * and nothing of a living one ever.
 */
import { createHash, randomUUID } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { hasEnded, thisProcess } from "./processes.ts";

/** What another machine made in a shared folder, or nobody put a name to. Nothing that we write takes as long. */
const NOBODYS_AFTER_MS = 24 * 60 * 60_000;

const NAME = /-([0-9a-f]{12})\.(\d+)\.(\d+|x)-[0-9a-f-]{36}$/;

/** A name that nobody else has. */
export function temporaryName(kind: string): string {
  const { pid, started, place } = thisProcess();
  return `${kind}-${digestOf(place)}.${pid}.${started ?? "x"}-${randomUUID()}`;
}

/** Removes what ended processes have left of these kinds directly in a folder, and tells the names. No folder is fine. */
export async function removeLeftovers(folder: string, kinds: readonly string[]): Promise<string[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const removed: string[] = [];
  for (const name of names) {
    if (!kinds.some((kind) => name.startsWith(`${kind}-`)) || !(await isLeftover(folder, name))) continue;
    await rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 });
    removed.push(name);
  }
  return removed;
}

async function isLeftover(folder: string, name: string): Promise<boolean> {
  const here = thisProcess();
  const [, place, pid, started] = NAME.exec(name) ?? [];
  const ended =
    place === digestOf(here.place)
      ? hasEnded({ pid: Number(pid), started: started === "x" ? null : started!, place: here.place })
      : null;
  if (ended !== null) return ended;
  const info = await stat(join(folder, name)).catch(() => null);
  return info !== null && Date.now() - info.mtimeMs > NOBODYS_AFTER_MS;
}

function digestOf(place: string): string {
  return createHash("sha256").update(place).digest("hex").slice(0, 12);
}
