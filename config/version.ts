/** The version of this program, from its package: beside the sources, above a build, or far above what was compiled from them. */
import { readFileSync } from "node:fs";

export function productVersion(): string {
  for (let folder = new URL(".", import.meta.url); ; folder = new URL("..", folder)) {
    const found = versionIn(new URL("package.json", folder));
    if (found !== null) return found;
    if (new URL("..", folder).href === folder.href) return "unknown";
  }
}

function versionIn(file: URL): string | null {
  try {
    const { name, version } = JSON.parse(readFileSync(file, "utf8")) as { name?: string; version?: string };
    return name === "mergewright" && version ? version : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
