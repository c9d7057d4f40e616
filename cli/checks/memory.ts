/** The memory store, where one outside is configured. */
import type { Config } from "../../config/config.ts";
import { checkQdrant } from "../../memory/qdrant.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

export async function checkMemory({ qdrant }: Pick<Config, "qdrant">): Promise<Finding[]> {
  if (qdrant === null) return [];
  const name = "Qdrant";
  const health = await checkQdrant(qdrant);
  if (!health.ok) return [fail(name, health.reason, "Start it, or correct QDRANT_URL and QDRANT_API_KEY.")];
  if (health.lack !== null) return [warn(name, health.lack, "Start a newer one on its data, which stays as it is.")];
  return [ok(name, `${new URL(qdrant.url).host} answers, version ${health.version}.`)];
}
