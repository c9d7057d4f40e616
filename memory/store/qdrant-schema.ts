/** Makes Qdrant's collections and the indexes of the fields by which we filter, before anything is written. */
import type { QdrantClient } from "@qdrant/js-client-rest";
import { VECTORS } from "../code/document.ts";

export const SPARSE_COLLECTION = "mergewright";

/** Models differ in the length of their vectors; a collection has one length. */
export function denseCollection(size: number): string {
  return `${SPARSE_COLLECTION}-dense-${size}`;
}

/** Every vector that a point may have; experience has its own. */
const SPARSE_VECTORS = [...Object.values(VECTORS), "text"];

const INDEXES = [
  // Qdrant stores a tenant's points together.
  { field_name: "scope", field_schema: { type: "keyword", is_tenant: true } },
  { field_name: "kind", field_schema: { type: "keyword" } },
  { field_name: "group", field_schema: { type: "keyword" } },
  { field_name: "ordinal", field_schema: { type: "integer", lookup: true, range: false } },
] as const;

/** The IDF modifier counts over the whole collection; since this version a query may say over what instead. */
export function countsAcrossScopes(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 1 || (major === 1 && minor < 19);
}

export async function ensureCollection(client: QdrantClient): Promise<void> {
  const sparse_vectors = Object.fromEntries(SPARSE_VECTORS.map((name) => [name, { modifier: "idf" as const }]));
  await ensure(client, SPARSE_COLLECTION, () => client.createCollection(SPARSE_COLLECTION, { sparse_vectors }));
}

export async function ensureDenseCollection(client: QdrantClient, size: number): Promise<void> {
  const name = denseCollection(size);
  await ensure(client, name, () => client.createCollection(name, { vectors: { dense: { size, distance: "Cosine" } } }));
}

/** Two processes may come at the same time: whoever comes second finds it made. The indexes may be asked for again. */
async function ensure(client: QdrantClient, name: string, create: () => Promise<unknown>): Promise<void> {
  if (!(await client.collectionExists(name)).exists) {
    try {
      await create();
    } catch (error) {
      if (!(await client.collectionExists(name)).exists) throw error;
    }
  }
  const { payload_schema: indexed } = await client.getCollection(name);
  for (const index of INDEXES) {
    if (indexed?.[index.field_name] === undefined) await client.createPayloadIndex(name, { ...index, wait: true });
  }
}
