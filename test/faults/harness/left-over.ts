/** What is only there while somebody works, in the folders of a product that is at rest. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** `temporary`: its folder for temporary files; `below`: its homes, and where its artifacts are. */
export function leftInFolders({ temporary, below }: { temporary: string; below: readonly string[] }): string[] {
  // Tools of the test itself keep caches in the temporary folder, too.
  const files = readdirSync(temporary).filter((name) => !/^(tsx-|node-compile-cache|v8-)/.test(name));
  const paths = below.flatMap((each) =>
    readdirSync(each, { recursive: true, encoding: "utf8" }).map((name) => join(each, name)),
  );
  // The embedded Temporal server holds one for as long as it runs.
  const working = /\/(scratch-[^/]+|\.new-[^/]+|new-[^/]+|[^/]+(?<!\/temporal)\.lock|\.unfinished\/.+|tmp_\w+)$/;
  return [...files.map((name) => `tmp/${name}`), ...paths.filter((path) => working.test(path) || heldLock(path))];
}

function heldLock(path: string): boolean {
  if (!/\/mergewright\/lock\/\d+$/.test(path) || !existsSync(path)) return false;
  return (JSON.parse(readFileSync(path, "utf8")) as { free: boolean }).free === false;
}
