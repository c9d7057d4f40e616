/** A new version of the program, as far as runs under way can tell: a copy in which a file says something else. */
import { cp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Edit {
  /** Such as `workflows/merge.ts`. */
  file: string;
  /** Stands there exactly once. */
  from: string;
  to: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const NOT_PROGRAM = new Set([".git", "node_modules", "dist", "test", "docs", "bench", ".mergewright"]);

/** Copies the program into `folder`, with these edits, and tells the file that starts it. */
export async function changedBuild(folder: string, edits: readonly Edit[]): Promise<string> {
  for (const name of await readdir(root))
    if (!NOT_PROGRAM.has(name)) await cp(join(root, name), join(folder, name), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  for (const { file, from, to } of edits) {
    const path = join(folder, file);
    const parts = (await readFile(path, "utf8")).split(from);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times ${JSON.stringify(from)}, not once.`);
    await writeFile(path, parts.join(to));
  }
  return join(folder, "bin", "mergewright.mjs");
}
