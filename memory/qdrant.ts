/** Qdrant, as far as it is needed before there is a memory: is it there, and does it let us in? */
import { QdrantClient } from "@qdrant/js-client-rest";
import { lackOf } from "./store/qdrant-schema.ts";

export interface QdrantAddress {
  /** Such as `http://localhost:6333`. */
  url: string;
  apiKey: string | null;
}

export type QdrantHealth =
  /** `lack` says what it does less well than it should, and what to do; null: nothing. */
  | { ok: true; version: string; collections: number; lack: string | null }
  /** `reason` says what was wrong and what to do. */
  | { ok: false; reason: string };

/** Health and doctor run this while a person waits. */
const TIMEOUT_MS = 3_000;

/** Asks Qdrant for its version, and for its collections, which needs the key. Never throws. */
export async function checkQdrant({ url, apiKey }: QdrantAddress): Promise<QdrantHealth> {
  try {
    // The client takes port 6333 for an address without one, and warns on the console about versions unless told not to.
    const client = new QdrantClient({
      url,
      ...(apiKey === null ? {} : { apiKey }),
      timeout: TIMEOUT_MS,
      checkCompatibility: false,
    });
    const [{ version }, { collections }] = await Promise.all([client.versionInfo(), client.getCollections()]);
    return { ok: true, version, collections: collections.length, lack: lackOf(url, version) };
  } catch (error) {
    return { ok: false, reason: reasonOf(error, url) };
  }
}

function reasonOf(error: unknown, url: string): string {
  const status = (error as { status?: unknown } | null)?.status;
  if (status === 401 || status === 403)
    return `Qdrant at ${url} refuses the key (${status}). Set QDRANT_API_KEY to one that it knows.`;
  const detail = messages(error).join(": ");
  return `Qdrant at ${url} does not answer as it should (${detail}). Is it up, and is QDRANT_URL right?`;
}

/** The client wraps what the connection said. */
function messages(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  return error.cause === undefined ? [error.message] : [error.message, ...messages(error.cause)];
}
