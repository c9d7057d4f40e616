/** Makes a folder with those above it. Node's own `recursive` never ends where a folder takes no entry, as in /proc. */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** @param mode of those that are made. */
export function makeFolder(folder: string, mode = 0o777): void {
  if (made(folder, mode)) return;
  makeFolder(dirname(folder), mode);
  mkdirUnlessThere(folder, mode);
}

/** False: the folder above it has to be made first. */
function made(folder: string, mode: number): boolean {
  try {
    mkdirUnlessThere(folder, mode);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(folder) === folder) throw error;
    return false;
  }
}

function mkdirUnlessThere(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    // Some systems refuse a folder that cannot be made before they look whether it is there.
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}
