// Compiling the sources at each start costs more than a search does. For commands that must answer at once, the
// compiled program is kept; it is used only while none of the files that it was made from has changed.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * The address of a program to import, or null where none can be kept (a folder that cannot be written to): the sources serve as well.
 * @param {string} root
 * @param {string} entry such as `cli/main.ts`
 * @returns {Promise<string | null>}
 */
export async function compiled(root, entry) {
  const folder = join(
    root,
    "node_modules",
    ".cache",
    "mergewright",
    createHash("sha1").update(`${root}:${entry}`).digest("hex").slice(0, 12),
  );
  const manifest = join(folder, "manifest.json");
  try {
    const kept = JSON.parse(await readFile(manifest, "utf8"));
    if (kept.node === process.version && (await unchanged(root, kept.inputs)))
      return pathToFileURL(join(folder, kept.program)).href;
  } catch {
    // Not there yet, or half of one: it is made anew.
  }
  try {
    return await compile(root, entry, folder, manifest);
  } catch {
    return null;
  }
}

/**
 * @param {string} root
 * @param {Record<string, string>} inputs
 */
async function unchanged(root, inputs) {
  const states = await Promise.all(Object.keys(inputs).map((path) => stateOf(root, path)));
  return Object.values(inputs).every((state, at) => state === states[at]);
}

/**
 * @param {string} root
 * @param {string} path
 */
async function stateOf(root, path) {
  const { mtimeMs, size } = await stat(join(root, path));
  return `${mtimeMs}:${size}`;
}

/**
 * @param {string} root
 * @param {string} entry
 * @param {string} folder
 * @param {string} manifest
 */
async function compile(root, entry, folder, manifest) {
  const { build } = await import("esbuild");
  // A name of its own: another process may be running the one before, or compiling at the same time.
  const program = `${process.pid}-${Date.now()}`;
  await mkdir(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: join(folder, program),
    entryNames: "main",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    metafile: true,
    logLevel: "silent",
  });
  const inputs = Object.fromEntries(
    await Promise.all(Object.keys(metafile.inputs).map(async (path) => [path, await stateOf(root, path)])),
  );
  const before = await readFile(manifest, "utf8").then(
    (text) => JSON.parse(text).program.split("/")[0],
    () => null,
  );
  await writeFile(
    `${manifest}.${program}`,
    JSON.stringify({ node: process.version, program: `${program}/main.mjs`, inputs }),
  );
  await rename(`${manifest}.${program}`, manifest);
  // The one before the last: the last may still be loading its parts somewhere.
  if (before !== null) {
    const older = await readFile(join(folder, "older"), "utf8").catch(() => null);
    await writeFile(join(folder, "older"), before);
    if (older !== null && older !== before && /^[\d-]+$/.test(older))
      await rm(join(folder, older), { recursive: true, force: true });
  }
  return pathToFileURL(join(folder, program, "main.mjs")).href;
}
