/**
 * A Qdrant that lives in memory: takes what Qdrant's description allows, refuses the rest, and computes sparse scores with IDF (over the corpus of the query) and
 * cosines as Qdrant does. It also refuses what works and is slow on a real one: filtering by a field without an index.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { operationOf } from "./qdrant-description.ts";

export interface PlayedQdrant {
  url: string;
  /** Every request that arrived: operation, body's size, points in it. */
  readonly seen: { operation: string; bytes: number; points: number; body: unknown }[];
  /** Answers the next `count` requests with this status. */
  fail(status: number, count: number): void;
  /** Answers each request so many milliseconds later. */
  slow(ms: number): void;
  close(): Promise<void>;
}

interface Sparse {
  indices: number[];
  values: number[];
}
type Vector = Sparse | number[];
interface Point {
  id: string | number;
  vector: Record<string, Vector>;
  payload: Record<string, unknown>;
}
interface Collection {
  config: { vectors?: Record<string, { size: number }>; sparse_vectors?: Record<string, { modifier?: string }> };
  indexes: Record<string, unknown>;
  points: Map<string | number, Point>;
}
interface Filter {
  must?: { key: string; match: { value?: unknown; any?: unknown[] } }[];
}
interface QueryRequest {
  query: Vector;
  using: string;
  filter?: Filter;
  params?: { idf?: "global" | { corpus: Filter } };
  limit: number;
}

class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const MAX_REQUEST_BYTES = 32 * 2 ** 20;
/** As `JSON.stringify` writes it; whole characters are not escaped. */
const HALF_CHARACTER = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export async function playQdrant({
  apiKey = null,
  version = "1.19.0",
  port = 0,
}: { apiKey?: string | null; version?: string; port?: number } = {}): Promise<PlayedQdrant> {
  const collections = new Map<string, Collection>();
  const seen: PlayedQdrant["seen"] = [];
  let failing = { status: 0, count: 0 };
  let delayMs = 0;

  const server: Server = createServer((request, response) => {
    if (request.url === "/") {
      response.writeHead(200, { "content-type": "application/json" });
      return void response.end(JSON.stringify({ title: "qdrant - vector search engine", version }));
    }
    void answer(request).then(
      (result) => send(200, { result, status: "ok", time: 0 }),
      (error: unknown) =>
        send(error instanceof Refused ? error.status : 500, { status: { error: (error as Error).message }, time: 0 }),
    );
    function send(status: number, body: unknown): void {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    }
  });

  async function answer(request: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const url = new URL(request.url!, "http://qdrant");
    const text = raw.toString("utf8");
    const body: unknown = raw.length === 0 ? undefined : JSON.parse(text);
    const operation = operationOf(request.method!, url, body);
    if (operation === null) throw new Refused(404, `no operation ${request.method} ${url.pathname}`);
    const points = (body as { points?: unknown[] } | undefined)?.points?.length ?? 0;
    seen.push({ operation: operation.name, bytes: raw.length, points, body });
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (failing.count > 0) {
      failing = { ...failing, count: failing.count - 1 };
      throw new Refused(failing.status, "played fault");
    }
    if (apiKey !== null && request.headers["api-key"] !== apiKey) throw new Refused(401, "Must provide an API key");
    if (raw.length > MAX_REQUEST_BYTES) throw new Refused(413, "Payload too large");
    if (HALF_CHARACTER.test(text)) throw new Refused(400, "Format error in JSON body: lone surrogate in hex escape");
    if (operation.wrong !== null) throw new Refused(400, `Format error in JSON body: ${operation.wrong}`);
    return act(operation.name, operation.parameters["collection_name"] ?? "", body, url);
  }

  function act(operation: string, name: string, body: unknown, url: URL): unknown {
    if (operation === "get_collections")
      return { collections: [...collections.keys()].map((each) => ({ name: each })) };
    if (operation === "collection_exists") return { exists: collections.has(name) };
    if (operation === "create_collection") {
      if (collections.has(name)) throw new Refused(409, `Wrong input: Collection \`${name}\` already exists!`);
      collections.set(name, { config: body as Collection["config"], indexes: {}, points: new Map() });
      return true;
    }
    const collection = collections.get(name);
    if (collection === undefined) throw new Refused(404, `Not found: Collection \`${name}\` doesn't exist!`);
    const given = body as Record<string, unknown>;
    switch (operation) {
      case "get_collection":
        return { status: "green", config: { params: collection.config }, payload_schema: collection.indexes };
      case "create_field_index":
        collection.indexes[given["field_name"] as string] = { data_type: "keyword", points: 0 };
        return { operation_id: 0, status: "completed" };
      case "upsert_points":
        for (const point of given["points"] as Point[]) put(collection, point);
        return done(url);
      case "delete_points":
        for (const { id } of matching(collection, given["filter"] as Filter)) collection.points.delete(id);
        return done(url);
      case "get_points":
        return (given["ids"] as string[]).flatMap((id) => shown(collection.points.get(id), given["with_payload"]));
      case "scroll_points":
        return scroll(collection, given);
      case "query_points":
        return { points: query(collection, given as unknown as QueryRequest) };
      case "query_batch_points":
        return (given["searches"] as QueryRequest[]).map((each) => ({ points: query(collection, each) }));
      default:
        throw new Refused(501, `${operation} is not played`);
    }
  }

  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    fail: (status, count) => (failing = { status, count }),
    slow: (ms) => void (delayMs = ms),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function done(url: URL): unknown {
  return { operation_id: 1, status: url.searchParams.get("wait") === "true" ? "completed" : "acknowledged" };
}

function put({ config, points }: Collection, { id, vector, payload }: Point): void {
  if (typeof id === "string" && !UUID.test(id)) throw new Refused(400, `value ${id} is not a valid point ID`);
  for (const [name, value] of Object.entries(vector)) {
    if (Array.isArray(value)) {
      const size = config.vectors?.[name]?.size;
      if (size === undefined) throw new Refused(400, `Wrong input: Not existing vector name error: ${name}`);
      if (size !== value.length)
        throw new Refused(400, `Wrong input: Vector dimension error: expected dim: ${size}, got ${value.length}`);
    } else {
      if (config.sparse_vectors?.[name] === undefined)
        throw new Refused(400, `Wrong input: Not existing vector name error: ${name}`);
      if (new Set(value.indices).size !== value.indices.length || value.indices.length !== value.values.length)
        throw new Refused(422, "Validation error in JSON body: sparse vector: must be unique indices");
    }
  }
  points.set(id, { id, vector, payload: payload ?? {} });
}

function matching({ indexes, points }: Collection, filter: Filter | undefined): Point[] {
  const must = filter?.must ?? [];
  for (const { key } of must) {
    if (indexes[key] === undefined) throw new Refused(400, `Bad request: Index required but not found for "${key}"`);
  }
  return [...points.values()].filter(({ payload }) =>
    must.every(({ key, match }) => (match.any ? match.any.includes(payload[key]) : payload[key] === match.value)),
  );
}

function shown(point: Point | undefined, withPayload: unknown): { id: string | number; payload?: object }[] {
  if (point === undefined) return [];
  const { id, payload } = point;
  if (Array.isArray(withPayload))
    return [
      { id, payload: Object.fromEntries(Object.entries(payload).filter(([name]) => withPayload.includes(name))) },
    ];
  return [withPayload === true ? { id, payload } : { id }];
}

function scroll(collection: Collection, request: Record<string, unknown>): unknown {
  const found = matching(collection, request["filter"] as Filter).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const from = request["offset"] == null ? 0 : found.findIndex(({ id }) => id === request["offset"]);
  const limit = request["limit"] as number;
  const page = found.slice(from, from + limit);
  return {
    points: page.flatMap((point) => shown(point, request["with_payload"])),
    next_page_offset: found[from + limit]?.id ?? null,
  };
}

function query(collection: Collection, { query: wanted, using, filter, params, limit }: QueryRequest): unknown[] {
  const all = [...collection.points.values()].filter(({ vector }) => vector[using] !== undefined);
  const within = params?.idf === undefined || params.idf === "global" ? undefined : params.idf.corpus;
  const corpus = matching(collection, within).filter(({ vector }) => vector[using] !== undefined);
  const rarity = (index: number): number => {
    const having = corpus.filter(({ vector }) => (vector[using] as Sparse).indices.includes(index)).length;
    return Math.log((corpus.length - having + 0.5) / (having + 0.5) + 1);
  };
  let score: (vector: Vector) => number;
  if (Array.isArray(wanted)) score = (vector) => cosine(wanted, vector as number[]);
  else {
    const idf = collection.config.sparse_vectors?.[using]?.modifier === "idf";
    const weights = new Map(wanted.indices.map((index, at) => [index, wanted.values[at]! * (idf ? rarity(index) : 1)]));
    score = (vector) =>
      (vector as Sparse).indices.reduce(
        (sum, index, at) => sum + (weights.get(index) ?? 0) * (vector as Sparse).values[at]!,
        0,
      );
  }
  const chosen = new Set(matching(collection, filter).map(({ id }) => id));
  return all
    .filter(({ id, vector }) => chosen.has(id) && (Array.isArray(wanted) || shares(wanted, vector[using] as Sparse)))
    .map((point) => ({ id: point.id, version: 0, score: score(point.vector[using]!), payload: point.payload }))
    .sort((a, b) => b.score - a.score)
    .slice(0, limit);
}

/** A sparse search finds only points that have a word of the query. */
function shares(wanted: Sparse, stored: Sparse): boolean {
  return stored.indices.some((index) => wanted.indices.includes(index));
}

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, at) => sum + value * y[at]!, 0);
  return dot(a, b) / (Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b)) || 1);
}
