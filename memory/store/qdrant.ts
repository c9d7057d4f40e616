/** The store for several machines: a Qdrant server, one collection for all tenants, apart by an indexed payload field. */
import { QdrantClient } from "@qdrant/js-client-rest";
import { asDomainError } from "./qdrant-errors.ts";
import {
  pointId,
  scopeKey,
  scopeOfKey,
  type StoredPayload,
  toPoints,
  withinLimits,
  type QdrantPoint,
} from "./qdrant-points.ts";
import {
  denseCollection,
  ensureCollection,
  ensureDenseCollection,
  isDenseCollectionOf,
  lackOf,
  USUAL_COLLECTION,
} from "./qdrant-schema.ts";
import type { Change, Hit, Json, PointStore, Query, Scope } from "./store.ts";

export interface QdrantAddress {
  /** Such as `http://localhost:6333`. */
  url: string;
  apiKey: string | null;
  /** What it stands in there, and what the names of its other collections begin with. null or absent: the usual one. */
  collection?: string | null;
  /** For one request. */
  timeoutMs?: number;
  /** Told once where the server is too old for what we ask of it. */
  warn?: (message: string) => void;
}

const TIMEOUT_MS = 30_000;
/** A page of names and tags is about 100 bytes a point. */
const PAGE = 1_000;
/** Names in one filter: each is looked up in the index of `group`. */
const NAMES_IN_FILTER = 500;

export function openQdrantStore({
  url,
  apiKey,
  collection,
  timeoutMs = TIMEOUT_MS,
  warn = () => {},
}: QdrantAddress): PointStore {
  const sparse = collection ?? USUAL_COLLECTION;
  const client = new QdrantClient({
    url,
    ...(apiKey === null ? {} : { apiKey }),
    timeout: timeoutMs,
    checkCompatibility: false,
  });
  let ready: Promise<void> | null = null;
  let told = false;
  const readyDense = new Map<number, Promise<void>>();

  /** One request after another, each only while nobody has given up. */
  async function ask<T>(signal: AbortSignal, request: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    try {
      // What failed once is tried again by the next call, not remembered as failed.
      await (ready ??= prepare()).catch((error: unknown) => {
        ready = null;
        throw error;
      });
      return await request();
    } catch (error) {
      throw asDomainError(error, url);
    }
  }
  async function prepare(): Promise<void> {
    await ensureCollection(client, sparse);
    const lack = lackOf(url, (await client.versionInfo()).version);
    if (!told && lack !== null) warn(lack);
    told = true;
  }
  const denseReady = (size: number): Promise<void> => {
    let known = readyDense.get(size);
    if (known === undefined) {
      known = ensureDenseCollection(client, denseCollection(sparse, size), size);
      readyDense.set(size, known);
      known.catch(() => readyDense.delete(size));
    }
    return known;
  };
  /** Those that any model has filled; a repository's pieces may be in more than one after a change of model. */
  const denseCollections = async (): Promise<string[]> => {
    const { collections } = await client.getCollections();
    return collections.map(({ name }) => name).filter((name) => isDenseCollectionOf(sparse, name));
  };

  async function scroll(scope: Scope, prefix: string, fields: string[], signal: AbortSignal): Promise<StoredPayload[]> {
    const found: StoredPayload[] = [];
    let offset: string | number | undefined;
    do {
      const page = await ask(signal, () =>
        client.scroll(sparse, {
          filter: { must: [...inScope(scope), { key: "kind", match: { value: kindOfName(prefix) } }, FIRST] },
          limit: PAGE,
          with_payload: fields,
          with_vector: false,
          ...(offset === undefined ? {} : { offset }),
        }),
      );
      for (const { payload } of page.points) {
        const stored = payload as unknown as StoredPayload;
        if (stored.group.startsWith(prefix)) found.push(stored);
      }
      offset = (page.next_page_offset ?? undefined) as string | undefined;
    } while (offset !== undefined);
    return found;
  }

  /** Two who write a group at once may leave parts of both: those count that are of its first point's making. */
  async function tagsOf(scope: Scope, found: readonly Tagged[], signal: AbortSignal): Promise<Map<string, string>> {
    const tags = new Map(found.filter(({ hit }) => hit.point === 0).map(({ hit, tag }) => [hit.group, tag]));
    const unknown = [...new Set(found.map(({ hit }) => hit.group).filter((group) => !tags.has(group)))];
    for (let at = 0; at < unknown.length; at += PAGE) {
      const ids = unknown.slice(at, at + PAGE).map((group) => pointId(scopeKey(scope), group, 0));
      const firsts = await ask(signal, () =>
        client.retrieve(sparse, { ids, with_payload: ["group", "tag"], with_vector: false }),
      );
      for (const { payload } of firsts) {
        const { group, tag } = payload as unknown as StoredPayload;
        tags.set(group, tag);
      }
    }
    return tags;
  }

  async function removeGroups(scope: Scope, names: readonly string[], signal: AbortSignal): Promise<void> {
    if (names.length === 0) return;
    const collections = [sparse, ...(await ask(signal, denseCollections))];
    for (let at = 0; at < names.length; at += NAMES_IN_FILTER) {
      const filter = {
        must: [...inScope(scope), { key: "group", match: { any: names.slice(at, at + NAMES_IN_FILTER) } }],
      };
      for (const each of collections) await ask(signal, () => client.delete(each, { wait: true, filter }));
    }
  }

  async function upsert(into: string, points: readonly QdrantPoint[], signal: AbortSignal): Promise<void> {
    for (const batch of withinLimits(points))
      await ask(signal, () => client.upsert(into, { wait: true, points: batch }));
  }

  return {
    kind: "qdrant",
    async groups(scope, prefix, signal) {
      const stored = await scroll(scope, prefix, ["group", "tag"], signal);
      return new Map(stored.map(({ group, tag }) => [group, tag]));
    },
    async names(scope, prefix, signal) {
      return (await scroll(scope, prefix, ["group"], signal)).map(({ group }) => group);
    },
    async payloads(scope, prefix, signal) {
      const stored = await scroll(scope, prefix, ["group", "data"], signal);
      return new Map(stored.map(({ group, data }) => [group, data]));
    },
    async write(scope, { put, remove }: Change, signal) {
      await removeGroups(scope, remove, signal);
      if (put.length === 0) return;
      const { firsts, others, dense } = toPoints(scope, put);
      // A group counts as stored by its first point, so that comes last: a write cut off in between is made again. It may have left
      // points without a first one, so all names are cleaned, and not only those that are known.
      await removeGroups(
        scope,
        put.map(({ name }) => name),
        signal,
      );
      await upsert(sparse, others, signal);
      if (dense.length > 0) {
        const size = dense[0]!.vector.dense!.length;
        await ask(signal, () => denseReady(size));
        await upsert(denseCollection(sparse, size), dense, signal);
      }
      await upsert(sparse, firsts, signal);
    },
    optimize: () => Promise.resolve(),
    async search(scope, queries: readonly Query[], signal) {
      const answers: Tagged[][] = queries.map(() => []);
      const filter = { must: inScope(scope) };
      const byWords = queries.flatMap((query, at) =>
        "vector" in query && query.terms.indices.length > 0 ? [{ query, at }] : [],
      );
      if (byWords.length > 0) {
        const found = await ask(signal, () =>
          client.queryBatch(sparse, {
            // The client's types end at 1.18. An earlier server ignores what it does not know; `warn` has been told then.
            searches: byWords.map(({ query: { vector, terms, limit } }) => ({
              ...countedIn(filter),
              query: { indices: [...terms.indices], values: [...terms.values] },
              using: vector,
              filter,
              limit,
              with_payload: true,
            })),
          }),
        );
        byWords.forEach(({ at }, which) => (answers[at] = found[which]!.points.map(taggedOf)));
      }
      for (const [at, query] of queries.entries()) {
        if (!("dense" in query)) continue;
        const dense = denseCollection(sparse, query.dense.length);
        const found = await ask(signal, async () => {
          await denseReady(query.dense.length);
          return client.query(dense, {
            query: [...query.dense],
            using: "dense",
            filter,
            limit: query.limit,
            with_payload: true,
          });
        });
        answers[at] = found.points.map(taggedOf);
      }
      const current = await tagsOf(scope, answers.flat(), signal);
      return answers.map((hits) => hits.filter(({ hit, tag }) => current.get(hit.group) === tag).map(({ hit }) => hit));
    },
    async note(scope, signal) {
      const [stored] = await ask(signal, () =>
        client.retrieve(sparse, { ids: [noteId(scope)], with_payload: true, with_vector: false }),
      );
      return stored === undefined ? null : (stored.payload as unknown as StoredPayload).data;
    },
    async setNote(scope, note, signal) {
      const payload: StoredPayload = {
        scope: scopeKey(scope),
        kind: "note",
        group: "note:",
        ordinal: 0,
        tag: "",
        data: note,
      };
      await ask(signal, () =>
        client.upsert(sparse, {
          wait: true,
          points: [{ id: noteId(scope), vector: {}, payload: { ...payload } }],
        }),
      );
    },
    async forget(scope, signal) {
      const collections = [...(await ask(signal, denseCollections)), sparse];
      for (const each of collections)
        await ask(signal, () => client.delete(each, { wait: true, filter: { must: inScope(scope) } }));
    },
    async scopes(signal) {
      const found: Scope[] = [];
      let offset: string | undefined;
      do {
        const page = await ask(signal, () =>
          client.scroll(sparse, {
            filter: { must: [{ key: "kind", match: { value: "note" } }] },
            limit: PAGE,
            with_payload: ["scope"],
            with_vector: false,
            ...(offset === undefined ? {} : { offset }),
          }),
        );
        for (const { payload } of page.points) found.push(scopeOfKey((payload as unknown as StoredPayload).scope));
        offset = (page.next_page_offset ?? undefined) as string | undefined;
      } while (offset !== undefined);
      return found;
    },
    bytes: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  };
}

/** How rare a word is: among the points of this scope alone, as the embedded store counts it. @see https://github.com/qdrant/qdrant/pull/9661 */
function countedIn(corpus: object): object {
  return { params: { idf: { corpus } } };
}

const FIRST = { key: "ordinal", match: { value: 0 } };

function inScope(scope: Scope) {
  return [{ key: "scope", match: { value: scopeKey(scope) } }];
}

function noteId(scope: Scope): string {
  return pointId(scopeKey(scope), "note:", 0);
}

function kindOfName(name: string): string {
  return name.slice(0, name.indexOf(":"));
}

interface Tagged {
  hit: Hit;
  tag: string;
}

function taggedOf({ score, payload }: { score: number; payload?: unknown }): Tagged {
  const { group, ordinal, data, tag } = payload as StoredPayload;
  return { hit: { group, point: ordinal, score, payload: data as Json }, tag };
}
