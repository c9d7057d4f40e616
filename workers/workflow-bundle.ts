/** The workflow code as one file for Temporal's sandbox. Made once for each state of the sources, then read from the cache. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode } from "@temporalio/worker";
import { removeLeftovers, temporaryName } from "../activities/adapters/leftovers.ts";

export interface WorkflowBundle {
  codePath: string;
  /** Changes whenever the workflow code changes. */
  buildId: string;
}

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
export const bundleCache = join(root, "node_modules", ".cache", "mergewright");
/** Rooms whose files can end up in the bundle; see the import rules in `docs/architecture.md`. */
const ROOMS = ["workflows", "domain"];

/**
 * The bundle of the present sources, from `cacheDir` when it is there: bundling takes 2 s, reading takes 10 ms.
 * Safe to call from several processes at once.
 *
 * @param failureConverterPath another way to write errors down; it changes no decision of a workflow, so the build stays the same.
 */
export async function workflowBundle(
  cacheDir: string,
  failureConverterPath: string | null = null,
): Promise<WorkflowBundle> {
  const buildId = await sourcesDigest();
  const codePath = join(cacheDir, `workflows-${buildId}${failureConverterPath === null ? "" : "-encoded"}.js`);
  if (await isFile(codePath)) return { codePath, buildId };
  const { code } = await bundleWorkflowCode({
    workflowsPath: await source("index"),
    workflowInterceptorModules: [await source("run-ahead")],
    ...(failureConverterPath === null ? {} : { failureConverterPath }),
    logger: { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore },
  });
  await mkdir(cacheDir, { recursive: true });
  await removeLeftovers(cacheDir, [UNFINISHED]);
  const temporary = join(cacheDir, temporaryName(UNFINISHED));
  await writeFile(temporary, code);
  await rename(temporary, codePath);
  return { codePath, buildId };
}

const UNFINISHED = "unfinished";

async function sourcesDigest(): Promise<string> {
  const hash = createHash("sha256");
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8").catch(() => "{}")) as {
    version?: string;
  };
  hash.update(version ?? "");
  hash.update(await readFile(join(root, "package-lock.json")).catch(() => ""));
  for (const room of ROOMS) {
    const names = (await readdir(join(root, room))).filter((name) => /\.[jt]s$/.test(name)).sort();
    for (const name of names) hash.update(name).update(await readFile(join(root, room, name)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** The sources under tsx and vitest, the compiled files under plain Node. */
async function source(name: string): Promise<string> {
  const path = join(root, "workflows", name);
  return (await isFile(`${path}.ts`)) ? `${path}.ts` : `${path}.js`;
}

async function isFile(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

function ignore(): void {}
