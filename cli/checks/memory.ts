/** The memory store, where one outside is configured. */
import type { Config } from "../../config/config.ts";
import { fail, ok, type Finding } from "./finding.ts";

export async function checkMemory({ qdrant }: Config): Promise<Finding[]> {
  if (qdrant === null) return [];
  const name = "Qdrant";
  const mend = "Start it, or correct QDRANT_URL and QDRANT_API_KEY.";
  try {
    const answer = await fetch(`${qdrant.url}/collections`, {
      headers: qdrant.apiKey ? { "api-key": qdrant.apiKey } : {},
      signal: AbortSignal.timeout(10_000),
    });
    await answer.body?.cancel();
    if (answer.ok) return [ok(name, `${new URL(qdrant.url).host} answers.`)];
    return [fail(name, `${new URL(qdrant.url).host} answered ${answer.status}.`, mend)];
  } catch (error) {
    const { message, cause } = error as Error;
    return [
      fail(
        name,
        `${new URL(qdrant.url).host} does not answer (${cause instanceof Error ? cause.message : message}).`,
        mend,
      ),
    ];
  }
}
