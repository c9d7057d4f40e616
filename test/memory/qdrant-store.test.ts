import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AccessDenied, ServiceUnavailable } from "../../domain/errors.ts";
import { createCodeIndex } from "../../memory/code/code-index.ts";
import { fileGroup } from "../../memory/code/document.ts";
import { toPoints } from "../../memory/store/qdrant-points.ts";
import { openQdrantStore } from "../../memory/store/qdrant.ts";
import { hashOf, vectorOf } from "../../memory/text/vector.ts";
import { playQdrant, type PlayedQdrant } from "./played-qdrant.ts";
import { countedSource, makeRepository } from "./repository.ts";

const signal = new AbortController().signal;
const scope = { tenant: "acme", repository: "acme/shop" };
let played: PlayedQdrant;
beforeEach(async () => {
  played = await playQdrant({ apiKey: "key" });
});
afterEach(() => played.close());

const open = () => openQdrantStore({ url: played.url, apiKey: "key" });
const point = (words: number) => ({
  payload: {},
  vectors: { chunk: vectorOf(new Map(Array.from({ length: words }, (_, at) => [hashOf(`w${at}`), 1.25]))) },
});

it("Fields are indexed, the tenant's as such, before anything is written", async () => {
  await open().write(scope, { put: [{ name: "file:a", tag: "1", points: [point(1)] }], remove: [] }, signal);
  const operations = played.seen.map(({ operation }) => operation);
  const made = played.seen.filter(({ operation }) => operation === "create_field_index").map(({ body }) => body);
  expect(made).toContainEqual({ field_name: "scope", field_schema: { type: "keyword", is_tenant: true } });
  expect(made).toHaveLength(4);
  expect(operations.lastIndexOf("create_field_index")).toBeLessThan(operations.indexOf("upsert_points"));
});

it("A server that counts words across repositories, because it is older than 1.19, is told of once", async () => {
  const old = await playQdrant({ version: "1.18.2" });
  const told: string[] = [];
  const store = openQdrantStore({ url: old.url, apiKey: null, warn: (message) => told.push(message) });
  for (let at = 0; at < 2; at++) expect(await store.groups(scope, "file:", signal)).toEqual(new Map());
  expect(told).toEqual([expect.stringContaining("is 1.18.2: before 1.19 it counts")]);
  const now = openQdrantStore({ url: played.url, apiKey: "key", warn: (message) => told.push(message) });
  await now.groups(scope, "file:", signal);
  expect(told).toHaveLength(1);
  await old.close();
});

it("Installations with collections of their own share a server, see nothing of each other and take nothing away", async () => {
  // The name of one begins with the other's, up to what stands before a size.
  const names = [null, "mergewright-dense-x", "mergewright-dense"];
  const stores = names.map((collection) => openQdrantStore({ url: played.url, apiKey: "key", collection }));
  const dense = Float32Array.of(1, 0, 0);
  for (const [at, store] of stores.entries()) {
    const group = { name: "file:a", tag: String(at), points: [{ ...point(1), dense }] };
    await store.setNote(scope, { at }, signal);
    await store.write(scope, { put: [group], remove: [] }, signal);
  }
  const asked = [
    { dense, limit: 9 },
    { vector: "chunk", terms: point(1).vectors.chunk, limit: 9 },
  ];
  const seenBy = async (at: number) => ({
    tags: [...(await stores[at]!.groups(scope, "file:", signal)).values()],
    note: await stores[at]!.note(scope, signal),
    found: (await stores[at]!.search(scope, asked, signal)).map((hits) => hits.length),
  });
  const own = (at: number) => ({ tags: [String(at)], note: { at }, found: [1, 1] });
  for (const at of stores.keys()) expect(await seenBy(at)).toEqual(own(at));
  await stores[0]!.forget(scope, signal);
  expect(await seenBy(0)).toEqual({ tags: [], note: null, found: [0, 0] });
  for (const at of [1, 2]) expect(await seenBy(at)).toEqual(own(at));
});

it("A request holds at most 256 points and 8 MB", async () => {
  const groups = Array.from({ length: 40 }, (_, at) => ({
    name: `file:f${at}`,
    tag: "1",
    points: Array.from({ length: 20 }, () => point(2_000)),
  }));
  await open().write(scope, { put: groups, remove: [] }, signal);
  const upserts = played.seen.filter(({ operation }) => operation === "upsert_points");
  expect(upserts.reduce((sum, { points }) => sum + points, 0)).toBe(800);
  expect(Math.max(...upserts.map(({ points }) => points))).toBeLessThanOrEqual(256);
  expect(Math.max(...upserts.map(({ bytes }) => bytes))).toBeLessThanOrEqual(8 * 2 ** 20);
});

it("Half of a character, which Qdrant refuses with the whole request, is stored as a sign for one", async () => {
  const payload = { subject: "cut \ud83d", files: ["\ude00.js", "whole \u{1f600}"], at: 3, none: null };
  const store = open();
  await store.write(
    scope,
    { put: [{ name: "commit:a", tag: "1", points: [{ payload, vectors: {} }] }], remove: [] },
    signal,
  );
  expect([...(await store.payloads(scope, "commit:", signal)).values()]).toEqual([
    { subject: "cut \ufffd", files: ["\ufffd.js", "whole \u{1f600}"], at: 3, none: null },
  ]);
  const sent = JSON.stringify({ points: [{ id: 1, vector: {}, payload: { subject: "cut \ud83d" } }] });
  const answer = await fetch(`${played.url}/collections/any/points`, {
    method: "PUT",
    headers: { "content-type": "application/json", "api-key": "key" },
    body: sent,
  });
  expect(answer.status).toBe(400);
});

it("A write that is cut off does not count: the group's first point comes last", async () => {
  const store = open();
  await store.groups(scope, "file:", signal);
  const group = { name: "file:a", tag: "2", points: [point(1), point(2), point(3)] };
  const before = played.seen.length;
  await store.write(scope, { put: [group], remove: [] }, signal);
  const upserts = played.seen.slice(before).filter(({ operation }) => operation === "upsert_points");
  expect(upserts.map(({ points }) => points)).toEqual([2, 1]);
});

it("Of a group that two wrote at once only the points that are of its first one's making are found", async () => {
  const groupOf = (tag: string, points: number) => ({
    name: "file:a",
    tag,
    points: Array.from({ length: points }, () => ({ ...point(1), payload: { of: tag } })),
  });
  const store = open();
  await store.write(scope, { put: [groupOf("later", 2)], remove: [] }, signal);
  // The last part of another writer, who was killed before it came to the first one.
  const [part] = toPoints(scope, [groupOf("earlier", 3)]).others.slice(-1);
  await fetch(`${played.url}/collections/mergewright/points?wait=true`, {
    method: "PUT",
    headers: { "content-type": "application/json", "api-key": "key" },
    body: JSON.stringify({ points: [part] }),
  });
  const terms = vectorOf(new Map([[hashOf("w0"), 1]]));
  const [hits] = await store.search(scope, [{ vector: "chunk", terms, limit: 10 }], signal);
  expect(hits!.map(({ payload }) => payload)).toEqual([{ of: "later" }, { of: "later" }]);
});

it("What a write that was cut off left behind is neither found by a search nor mixed with what is written next", async () => {
  const repository = makeRepository();
  repository.commit("Start", { "src/money.ts": "export const discount = 1;\n" });
  const store = open();
  const code = createCodeIndex({ store, embedder: null });
  const index = () => code.index(scope, countedSource(join(repository.folder, ".git")).source, "HEAD", { signal });
  await index();
  const search = () => code.search(scope, "phantom discount", { limit: 5, signal });
  const long = Array.from({ length: 300 }, (_, at) => `export function phantom${at}() {\n  return ${at};\n}\n`);
  const ghost = fileGroup("src/ghost.ts", "1", new TextEncoder().encode(long.join("")));
  const before = played.seen.length;
  const cut = {
    throwIfAborted() {
      if (played.seen.slice(before).some(({ operation }) => operation === "upsert_points")) throw new Error("cut off");
    },
  } as AbortSignal;
  await expect(store.write(scope, { put: [ghost], remove: [] }, cut)).rejects.toThrow("cut off");
  expect((await search()).map(({ path }) => path)).toEqual(["src/money.ts"]);
  repository.commit("Short", { "src/ghost.ts": "export const phantom = 1;\n" });
  await index();
  const found = (await search()).find(({ path }) => path === "src/ghost.ts");
  expect(found!.lines).toEqual([1, 1]);
  repository.remove();
});

it("A refused key and a broken server are told apart, and a server that came back is used again", async () => {
  const refused = openQdrantStore({ url: played.url, apiKey: "wrong" });
  await expect(refused.groups(scope, "file:", signal)).rejects.toThrow(AccessDenied);
  const store = open();
  played.fail(503, 1);
  await expect(store.groups(scope, "file:", signal)).rejects.toThrow(ServiceUnavailable);
  expect(await store.groups(scope, "file:", signal)).toEqual(new Map());
  const nobody = openQdrantStore({ url: "http://127.0.0.1:9", apiKey: null });
  await expect(nobody.groups(scope, "file:", signal)).rejects.toThrow(/Qdrant at http:\/\/127.0.0.1:9/);
});
