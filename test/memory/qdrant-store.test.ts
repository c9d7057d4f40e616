import { afterEach, beforeEach, expect, it } from "vitest";
import { AccessDenied, ServiceUnavailable } from "../../domain/errors.ts";
import { openQdrantStore } from "../../memory/store/qdrant.ts";
import { hashOf, vectorOf } from "../../memory/text/vector.ts";
import { playQdrant, type PlayedQdrant } from "./played-qdrant.ts";

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
