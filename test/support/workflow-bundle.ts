/** The workflow code, bundled once for all tests and kept while its sources do not change. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const root = fileURLToPath(new URL("../../", import.meta.url));
const entry = join(root, "workflows", "index.ts");
const cache = join(root, "node_modules", ".cache", "mergewright");

/** Returns the path of the bundle; throws with the bundler's own words when the workflow code cannot be bundled. */
export async function bundleForTests(): Promise<string> {
  if (!existsSync(entry)) throw new Error("There is no workflows/index.ts to bundle.");
  const path = join(cache, `workflow-bundle-${await hashOfSources()}.js`);
  if (existsSync(path)) return path;
  const { bundleWorkflowCode } = await import("@temporalio/worker");
  const said: string[] = [];
  const note = (...parts: unknown[]) => void said.push(parts.map(String).join(" "));
  const logger = { log: () => {}, trace: () => {}, debug: () => {}, info: () => {}, warn: note, error: note };
  let code: string;
  try {
    ({ code } = await bundleWorkflowCode({ workflowsPath: entry, logger }));
  } catch (error) {
    throw new Error(`The workflow code cannot be bundled: ${said.join("\n") || String(error)}`, { cause: error });
  }
  await mkdir(cache, { recursive: true });
  await removeOldBundles();
  const aside = `${path}.${process.pid}`;
  await writeFile(aside, code);
  await rename(aside, path);
  return path;
}

async function hashOfSources(): Promise<string> {
  const hash = createHash("sha256").update(await readFile(join(root, "package-lock.json")));
  for (const room of ["workflows", "domain"]) {
    const names = await readdir(join(root, room), { recursive: true });
    for (const name of names.filter((file) => file.endsWith(".ts")).sort()) {
      hash.update(name).update(await readFile(join(root, room, name)));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/** Others may be testing at this moment with a bundle of theirs: only the old ones go. */
async function removeOldBundles(): Promise<void> {
  const bundles = (await readdir(cache))
    .filter((name) => name.startsWith("workflow-bundle-"))
    .map((name) => join(cache, name));
  const { stat } = await import("node:fs/promises");
  for (const bundle of bundles) {
    const { mtimeMs } = await stat(bundle);
    if (Date.now() - mtimeMs > 60 * 60_000) await rm(bundle, { force: true });
  }
}
