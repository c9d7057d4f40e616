/** Makes Qdrant's collections and the indexes of the fields by which we filter, before anything is written. */
import type { QdrantClient } from "@qdrant/js-client-rest";
import { VECTORS } from "../code/document.ts";

/** Of an installation that names none. */
export const USUAL_COLLECTION = "mergewright";

/** Models differ in the length of their vectors; a collection has one length. */
export function denseCollection(collection: string, size: number): string {
  return `${collection}${DENSE}${size}`;
}

/** Another installation's name may begin with ours. */
export function isDenseCollectionOf(collection: string, name: string): boolean {
  return name.startsWith(`${collection}${DENSE}`) && /^[1-9]\d*$/.test(name.slice(collection.length + DENSE.length));
}

const DENSE = "-dense-";

/** Every vector that a point may have; experience has its own. */
const SPARSE_VECTORS = [...Object.values(VECTORS), "text"];

const INDEXES = [
  // Qdrant stores a tenant's points together.
  { field_name: "scope", field_schema: { type: "keyword", is_tenant: true } },
  { field_name: "kind", field_schema: { type: "keyword" } },
  { field_name: "group", field_schema: { type: "keyword" } },
  { field_name: "ordinal", field_schema: { type: "integer", lookup: true, range: false } },
] as const;

/**
 * What is less than it should be with this version; null: nothing. The IDF modifier counts over the whole collection; since 1.19 a query may
 * say over what instead.
 */
export function lackOf(url: string, version: string): string | null {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 1 || (major === 1 && minor >= 19)
    ? null
    : `Qdrant at ${url} is ${version}: before 1.19 it counts how rare a word is over all repositories together, not within each, so it finds less well. Bring it to 1.19 or later.`;
}

export async function ensureCollection(client: QdrantClient, name: string): Promise<void> {
  const sparse_vectors = Object.fromEntries(SPARSE_VECTORS.map((each) => [each, { modifier: "idf" as const }]));
  await ensure(client, name, () => client.createCollection(name, { sparse_vectors }));
}

export async function ensureDenseCollection(client: QdrantClient, name: string, size: number): Promise<void> {
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
