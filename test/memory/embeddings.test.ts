import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AccessDenied, RateLimited, RequestRefused, ServiceUnavailable } from "../../domain/errors.ts";
import { createCodeIndex } from "../../memory/code/code-index.ts";
import { createEmbedder, type Embedder } from "../../memory/dense/embedder.ts";
import { orWordsAlone } from "../../memory/dense/or-words.ts";
import { createExperience } from "../../memory/experience/experience.ts";
import { openEmbeddedStore } from "../../memory/store/embedded.ts";
import { openQdrantStore } from "../../memory/store/qdrant.ts";
import { createMemory } from "../../workers/memory.ts";
import { playEmbeddings, type PlayedEmbeddings } from "./played-embeddings.ts";
import { playQdrant, type PlayedQdrant } from "./played-qdrant.ts";
import { countedSource, makeRepository, type TestRepository } from "./repository.ts";

const signal = new AbortController().signal;
const scope = { tenant: "acme", repository: "acme/shop" };

let service: PlayedEmbeddings;
let qdrant: PlayedQdrant;
let folder: string;
let repository: TestRepository;
beforeAll(async () => {
  service = await playEmbeddings({ apiKey: "key" });
  qdrant = await playQdrant();
  folder = mkdtempSync(join(tmpdir(), "mergewright-embeddings-"));
});
afterAll(async () => {
  await service.close();
  await qdrant.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  repository = makeRepository();
  repository.commit("Start", {
    "src/basket.ts": "export class Basket {}\n",
    "src/money.ts": "export const discount = 1;\n",
    "README.md": "buy\n",
  });
  service.seen.length = 0;
});
afterEach(() => repository.remove());

const embedderOf = (model = "text-embedding", apiKey = "key") => createEmbedder({ url: service.url, model, apiKey });
const sourceOf = () => countedSource(join(repository.folder, ".git")).source;
const stores = [
  ["the embedded store", () => openEmbeddedStore(join(folder, "memory.db"))],
  ["Qdrant", () => openQdrantStore({ url: qdrant.url, apiKey: null })],
] as const;

it.each(stores)(
  "What is meant is found although no word is shared, in %s, and only changed sources are embedded",
  async (_, open) => {
    const store = open();
    const code = createCodeIndex({ store, embedder: embedderOf() });
    await code.index(scope, sourceOf(), "HEAD", { signal });
    expect(service.seen.flatMap(({ body }) => body.input)).toHaveLength(2);
    const [best] = await code.search(scope, "purchase fails", { limit: 5, signal });
    expect(best).toMatchObject({ path: "src/basket.ts", why: ["its meaning is near"] });
    service.seen.length = 0;
    repository.commit("Change", { "src/money.ts": "export const discount = 2;\n" });
    await code.index(scope, sourceOf(), "HEAD", { signal });
    expect(service.seen.flatMap(({ body }) => body.input)).toEqual(["src/money.ts\nexport const discount = 2;"]);
    await code.remove(scope, signal);
    await store.close();
  },
);

it("Another model embeds everything anew, because its vectors cannot be compared", async () => {
  const store = openEmbeddedStore(join(folder, "models.db"));
  await createCodeIndex({ store, embedder: embedderOf("one") }).index(scope, sourceOf(), "HEAD", { signal });
  service.seen.length = 0;
  const report = await createCodeIndex({ store, embedder: embedderOf("two") }).index(scope, sourceOf(), "HEAD", {
    signal,
  });
  expect(report).toMatchObject({ changed: 3, unchanged: false });
  expect(service.seen.map(({ body }) => body.model)).toEqual(["two"]);
  await store.close();
});

it("A search asks no model but the one that made the index, whose vectors say nothing to another", async () => {
  const store = openEmbeddedStore(join(folder, "stale.db"));
  await createCodeIndex({ store, embedder: embedderOf("one") }).index(scope, sourceOf(), "HEAD", { signal });
  service.seen.length = 0;
  const searched = (model: string) =>
    createCodeIndex({ store, embedder: embedderOf(model) }).search(scope, "purchase fails", { limit: 5, signal });
  expect(await searched("two")).toEqual([]);
  expect(service.seen).toEqual([]);
  expect(await searched("one")).toMatchObject([{ path: "src/basket.ts" }, {}]);
  await store.close();
});

it.each(stores)(
  "While an index is made anew for another model, vectors of the two are never compared, also after it was broken off, in %s",
  async (_, open) => {
    const store = open();
    const codeOf = (model: string) => createCodeIndex({ store, embedder: embedderOf(model) });
    const found = async (model: string) =>
      (await codeOf(model).search(scope, "purchase fails", { limit: 5, signal })).length;
    await codeOf("one").index(scope, sourceOf(), "HEAD", { signal });
    const foundMeanwhile: number[] = [];
    const { embed } = embedderOf("two");
    const slow = {
      model: "two",
      during: () => {},
      embed: async (...texts: Parameters<Embedder["embed"]>) => {
        foundMeanwhile.push(await found("one"), await found("two"));
        slow.during();
        return embed(...texts);
      },
    };
    const killed = new AbortController();
    slow.during = () => killed.abort(new Error("killed"));
    await expect(
      createCodeIndex({ store, embedder: slow }).index(scope, sourceOf(), "HEAD", { signal: killed.signal }),
    ).rejects.toThrow("killed");
    expect([...foundMeanwhile, await found("one"), await found("two")]).toEqual([0, 0, 0, 0]);
    slow.during = () => {};
    await createCodeIndex({ store, embedder: slow }).index(scope, sourceOf(), "HEAD", { signal });
    expect([foundMeanwhile, await found("one"), await found("two")]).toEqual([[0, 0, 0, 0], 0, 2]);
    await codeOf("two").remove(scope, signal);
    await store.close();
  },
);

it("A search whose index is made anew while it asks leaves the vectors out", async () => {
  const store = openEmbeddedStore(join(folder, "overtaken.db"));
  const one = embedderOf("one");
  const index = createCodeIndex({ store, embedder: one });
  await index.index(scope, sourceOf(), "HEAD", { signal });
  const overtaken: Embedder = {
    model: "one",
    embed: async (...texts) => {
      await createCodeIndex({ store, embedder: embedderOf("two") }).index(scope, sourceOf(), "HEAD", { signal });
      return one.embed(...texts);
    },
  };
  const search = createCodeIndex({ store, embedder: overtaken }).search(scope, "purchase fails", { limit: 5, signal });
  expect(await search).toEqual([]);
  await store.close();
});

it("While the service is away the words are searched alone, and somebody is told", async () => {
  const store = openEmbeddedStore(join(folder, "away.db"));
  const told: string[] = [];
  const parts = { store, embedder: embedderOf(), warn: (message: string) => told.push(message) };
  const [code, experience] = [createCodeIndex(parts), createExperience(parts)];
  const said = experience.taught({
    text: "Discounts are cents.",
    by: "mara",
    issue: null,
    at: new Date(0).toISOString(),
  });
  await code.index(scope, sourceOf(), "HEAD", { signal });
  await experience.store(scope, [said], signal);
  // The model's scale is measured by the first search.
  await experience.search(scope, "cents", { limit: 5, signal });
  service.failNext(503);
  expect((await code.search(scope, "discount", { limit: 5, signal }))[0]).toMatchObject({ path: "src/money.ts" });
  service.failNext(429);
  const [found] = await experience.search(scope, "discounts in cents", { limit: 5, signal });
  expect(found!.memory).toEqual(said);
  expect(told).toEqual([expect.stringContaining("answered 503"), expect.stringContaining("asks us to wait")]);
  const gone = AbortSignal.abort(new Error("nobody asks any more"));
  await expect(
    orWordsAlone(
      () => Promise.reject(new Error("away")),
      gone,
      () => {},
    ),
  ).rejects.toThrow("nobody asks");
  const never = (until: AbortSignal) =>
    new Promise<never>((_, reject) => until.addEventListener("abort", () => reject(until.reason as Error)));
  expect(await orWordsAlone(never, signal, (message) => told.push(message), 10)).toBeNull();
  await store.close();
});

const away = [
  ["is away", 503, "answered 503"],
  ["refuses the key", 401, "refuses the key"],
  ["asks us to wait", 429, "asks us to wait"],
  ["does not know the model", 400, "refused the request (400)"],
] as const;

it.each(away)(
  "What is written while the service %s is found by its words, and gets its vectors later",
  async (_, status, why) => {
    const store = openEmbeddedStore(join(folder, `later-${status}.db`));
    const told: string[] = [];
    const experience = createExperience({ store, embedder: embedderOf(), warn: (message) => told.push(message) });
    const said = ["The cart is counted in cents.", "Umlauts are mangled."].map((text) =>
      experience.taught({ text, by: "mara", issue: null, at: new Date(0).toISOString() }),
    );
    const found = async (text: string) =>
      (await experience.search(scope, text, { limit: 5, signal })).map(({ memory }) => memory);
    const own = { ...scope, repository: `${scope.repository}#experience` };
    const nearest = async () => {
      const [hits = []] = await store.search(own, [{ dense: Float32Array.of(1, 0, 0, 0.1), limit: 5 }], signal);
      return hits.map(({ payload }) => payload);
    };
    service.fail(status);
    expect(await experience.store(scope, said, signal)).toEqual({ lacking: expect.stringContaining(why) });
    expect(told).toEqual([expect.stringContaining("found by words alone for now")]);
    expect(await found("cents")).toEqual([said[0]]);
    expect(await experience.embedRest(scope, signal)).toMatchObject({
      embedded: 0,
      lacking: expect.stringContaining(why),
    });
    service.fail(0);
    expect(await nearest()).toEqual([]);
    expect(await experience.embedRest(scope, signal)).toEqual({ embedded: 2, lacking: null });
    expect(await experience.embedRest(scope, signal)).toEqual({ embedded: 0, lacking: null });
    expect(await nearest()).toMatchObject([{ memory: said[0] }, { memory: said[1] }]);
    expect(await experience.list(scope, {}, signal)).toHaveLength(2);
    await store.close();
  },
);

it("A text that the service refuses for good keeps no other from being embedded, and is not asked for again", async () => {
  const store = openEmbeddedStore(join(folder, "refused.db"));
  const told: string[] = [];
  const experience = createExperience({ store, embedder: embedderOf(), warn: (message) => told.push(message) });
  const said = ["one", "two UNWANTED", "three", "four"].map((text) =>
    experience.taught({ text, by: "mara", issue: null, at: new Date(0).toISOString() }),
  );
  service.refuse("UNWANTED");
  expect(await experience.store(scope, said, signal)).toEqual({ lacking: null });
  expect(told).toEqual([expect.stringContaining(`${said[1]!.id} is found by its words alone`)]);
  expect(await experience.list(scope, {}, signal)).toHaveLength(4);
  service.seen.length = 0;
  expect(await experience.embedRest(scope, signal)).toEqual({ embedded: 0, lacking: null });
  expect(service.seen).toEqual([]);
  // Another model may take it.
  const other = createExperience({ store, embedder: embedderOf("other") });
  service.refuse(null);
  expect(await other.embedRest(scope, signal)).toEqual({ embedded: 4, lacking: null });
  await store.close();
});

it("What was forgotten while it was being embedded stays forgotten", async () => {
  const store = openEmbeddedStore(join(folder, "overtaken-memory.db"));
  const plain = createExperience({ store, embedder: null });
  const said = plain.taught({ text: "cents", by: "mara", issue: null, at: new Date(0).toISOString() });
  await plain.store(scope, [said], signal);
  const { model, embed } = embedderOf();
  const slow: Embedder = {
    model,
    embed: async (...texts) => {
      await plain.forget(scope, { id: said.id }, signal);
      return embed(...texts);
    },
  };
  await createExperience({ store, embedder: slow }).embedRest(scope, signal);
  expect(await plain.list(scope, {}, signal)).toEqual([]);
  await store.close();
});

it.each(away)(
  "An index that is made while the service %s is searched by words, and asks for what lacks alone later",
  async (_, status, why) => {
    const store = openEmbeddedStore(join(folder, `index-${status}.db`));
    const told: string[] = [];
    const code = createCodeIndex({ store, embedder: embedderOf(), warn: (message) => told.push(message) });
    const paths = async (query: string) =>
      (await code.search(scope, query, { limit: 5, signal })).map(({ path }) => path);
    await code.index(scope, sourceOf(), "HEAD", { signal });
    repository.commit("Change", { "src/money.ts": "export const rebate = 2;\n" });
    service.fail(status);
    expect(await code.index(scope, sourceOf(), "HEAD", { signal })).toMatchObject({
      lacking: expect.stringContaining(why),
    });
    expect(told).toEqual([expect.stringContaining("searched by words for now")]);
    service.fail(0);
    expect((await paths("rebate"))[0]).toBe("src/money.ts");
    expect(await paths("purchase fails")).toEqual([]);
    service.seen.length = 0;
    expect(await code.index(scope, sourceOf(), "HEAD", { signal })).toMatchObject({ changed: 1 });
    expect(service.seen.flatMap(({ body }) => body.input)).toEqual(["src/money.ts\nexport const rebate = 2;"]);
    expect((await paths("purchase fails"))[0]).toBe("src/basket.ts");
    expect(await code.index(scope, sourceOf(), "HEAD", { signal })).toMatchObject({ unchanged: true });
    await store.close();
  },
);

it("A service that hangs is waited for once by a run, which asks the same for issues, lessons and what was taught", async () => {
  const store = openEmbeddedStore(join(folder, "hangs.db"));
  const experience = createExperience({ store, embedder: embedderOf() });
  const said = experience.taught({ text: "cents", by: "mara", issue: null, at: new Date(0).toISOString() });
  await experience.store(scope, [said], signal);
  service.fail(-1);
  const notes: string[] = [];
  const startedAt = Date.now();
  for (let time = 0; time < 3; time += 1)
    await experience.search(scope, "cents", { limit: 1, signal, note: (text) => notes.push(text) });
  expect(Date.now() - startedAt).toBeLessThan(3_000);
  expect(notes).toEqual(Array(3).fill(expect.stringContaining("Searched by words alone")));
  service.fail(0);
  await store.close();
});

it("Vectors come back in the order of their texts, in batches that the service takes, with the key", async () => {
  const texts = Array.from({ length: 150 }, (_, at) => (at % 2 === 0 ? "buy" : ""));
  const vectors = await embedderOf().embed(texts, "document", signal);
  expect(vectors.map(([buying]) => buying)).toEqual(texts.map((text) => (text === "buy" ? 1 : 0)));
  expect(service.seen.map(({ body }) => body.input.length)).toEqual([64, 64, 22]);
  expect(service.seen[0]).toMatchObject({ path: "/v1/embeddings", key: "Bearer key" });
});

const held = "Tr0ub4dor-and-a-horse-that-is-ours";
const token = `ghp_${"Ab3".repeat(12)}`;
/** 120 lines: as long as three pieces of a file. */
const key = `-----BEGIN RSA PRIVATE KEY-----\n${"MIIEowIBAAKCAQEAkeybodyline\n".repeat(120)}-----END RSA PRIVATE KEY-----`;

describe("No secret goes to the service", () => {
  const embedder = () => createEmbedder({ url: service.url, model: "m", apiKey: "key", secrets: [held] });
  const sent = () => service.seen.flatMap(({ body }) => body.input).join("\n");
  const quoting = `We buy with ${held}, ${token} and\n${key}\nand pay.`;

  it("in a source file, whose lines stay where they are", async () => {
    const store = openEmbeddedStore(join(folder, "secret-code.db"));
    const code = createCodeIndex({ store, embedder: embedder() });
    repository.commit("Add", { "src/pay.ts": `${quoting}\nexport const last = 1;\n` });
    await code.index(scope, sourceOf(), "HEAD", { signal });
    expect(sent()).toContain("src/pay.ts\nWe buy with [redacted: known-secret], [redacted: github-token] and");
    expect(sent()).toContain("and pay.\nexport const last = 1;");
    expect(sent()).not.toMatch(/Tr0ub4dor|ghp_|keybodyline/);
    service.seen.length = 0;
    await code.search(scope, quoting, { limit: 5, signal });
    expect(sent()).toContain("[redacted: known-secret]");
    expect(sent()).not.toMatch(/Tr0ub4dor|ghp_|keybodyline/);
    await store.close();
  });

  it("in a memory, or in an issue for which one is looked for", async () => {
    const store = openEmbeddedStore(join(folder, "secret-memory.db"));
    const experience = createExperience({ store, embedder: embedder() });
    const said = experience.taught({ text: quoting, by: "mara", issue: null, at: new Date(0).toISOString() });
    await experience.store(scope, [said], signal);
    await experience.search(scope, quoting, { limit: 5, signal });
    expect(sent().match(/\[redacted: known-secret\]/g)).toHaveLength(2);
    expect(sent()).not.toMatch(/Tr0ub4dor|ghp_|keybodyline/);
    await store.close();
  });

  it("of which the cut would leave half", async () => {
    for (const [purpose, room] of [
      ["document", 6_000],
      ["query", 8_000],
    ] as const)
      await embedder().embed([`${"x ".repeat(room / 2 - 8)}${held} ${token}`], purpose, signal);
    expect(service.seen.map(({ body }) => body.input[0]!.length)).toEqual([6_000, 8_000]);
    expect(sent()).not.toContain("Tr0ub");
  });

  it("that the configuration of a worker knows", async () => {
    const home = mkdtempSync(join(folder, "home-"));
    const embeddings = { url: service.url, model: "m", apiKey: "key" };
    const memory = createMemory({ home, qdrant: null, embeddings, secrets: () => [held] });
    await memory.code.index(scope, sourceOf(), "HEAD", { signal });
    await memory.code.search(scope, `buy ${held}`, { limit: 5, signal });
    expect(service.seen.at(-1)!.body.input).toEqual(["buy [redacted: known-secret]"]);
    await memory.close();
  });
});

it("Half of a character, which services refuse, is sent as a sign for one", async () => {
  await embedderOf().embed(["cut \ud83d", "whole \u{1f600}"], "document", signal);
  expect(service.seen[0]!.body.input).toEqual(["cut \ufffd", "whole \u{1f600}"]);
});

it("Voyage is told whether a text is a question or a document; others are not, who would refuse it", async () => {
  await embedderOf("voyage-code-3").embed(["a"], "query", signal);
  await embedderOf("text-embedding").embed(["a"], "query", signal);
  expect(service.seen.map(({ body }) => body.input_type)).toEqual(["query", undefined]);
});

it("Refusals say what to do, and which of them pass", async () => {
  await expect(embedderOf("m", "wrong").embed(["a"], "query", signal)).rejects.toThrow(AccessDenied);
  service.failNext(429, { "retry-after": "7" });
  await expect(embedderOf().embed(["a"], "query", signal)).rejects.toMatchObject(
    new RateLimited("embeddings", 7_000, `The embeddings service at ${service.url}/embeddings asks us to wait.`),
  );
  service.failNext(503);
  await expect(embedderOf().embed(["a"], "query", signal)).rejects.toThrow(ServiceUnavailable);
  service.failNext(400);
  await expect(embedderOf().embed(["a"], "query", signal)).rejects.toThrow(RequestRefused);
  const nowhere = createEmbedder({ url: "http://127.0.0.1:9/v1", model: "m", apiKey: null });
  await expect(nowhere.embed(["a"], "query", signal)).rejects.toThrow(/EMBEDDINGS_URL/);
});
