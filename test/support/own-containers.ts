/** Containers of one test's own product among those of others that run beside it. */
import { randomInt } from "node:crypto";
import { DEFAULT_IMAGE } from "../../activities/adapters/sandbox/docker.ts";
import { findDockerEngine } from "../../scripts/setup/docker-engine.mjs";

export interface OwnContainers {
  sandbox: "docker" | "local";
  /** For the product's processes. */
  env: Record<string, string>;
  /** Names of the containers of this product that are there now: running, stopped, or just made. */
  names(): Promise<string[]>;
}

const engine = await findDockerEngine();

/** In Docker where an engine answers, else in plain processes. */
export function ownContainers(
  sandbox: OwnContainers["sandbox"] = engine.kind === "answers" ? "docker" : "local",
): OwnContainers {
  if (sandbox === "local") return { sandbox, env: { EXECUTION_MODE: "local" }, names: async () => [] };
  // Other tests run containers of the same repository beside this one. No other has just this limit: ours are known by it.
  const memory = 1024 ** 3 + randomInt(1, 100_000) * 4096;
  const image = process.env["DOCKER_IMAGE"] ?? DEFAULT_IMAGE;
  return { sandbox, env: { DOCKER_IMAGE: image, MEMORY_LIMIT: String(memory) }, names: () => containersWith(memory) };
}

async function containersWith(memory: number): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: ["mergewright.app=mergewright"] }));
  const all = JSON.parse(await ask(`/containers/json?all=1&filters=${filters}`)) as { Id: string; Names: string[] }[];
  const ours = await Promise.all(
    all.map(async (container) => ((await memoryOf(container.Id)) === memory ? [container.Names.join()] : [])),
  );
  return ours.flat();
}

/** null: gone since it was listed. */
async function memoryOf(id: string): Promise<number | null> {
  const text = await ask(`/containers/${id}/json`);
  return (JSON.parse(text) as { HostConfig?: { Memory: number } }).HostConfig?.Memory ?? null;
}

async function ask(path: string): Promise<string> {
  if (engine.kind !== "answers") throw new Error(`No Docker engine: ${engine.reason}`);
  return (await engine.request("GET", path)).body;
}
