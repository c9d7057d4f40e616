/** What every store of the memory keeps to. */
import { afterEach, describe, expect, it } from "vitest";
import type { Group, PointStore, Query, Scope } from "../../memory/store/store.ts";
import { hashOf, vectorOf } from "../../memory/text/vector.ts";

const signal = new AbortController().signal;

/** @param make opens the store; what was written by one that it made before is there again. */
export function storeContract(name: string, make: () => Promise<PointStore>): void {
  let number = 0;
  /** A real server keeps what earlier runs wrote. */
  const freshScope = (tenant = "acme"): Scope => ({ tenant, repository: `${process.pid}-${Date.now()}-${number++}` });

  describe(`${name} keeps points`, () => {
    const opened: PointStore[] = [];
    const used: Scope[] = [];
    const open = async (): Promise<PointStore> => {
      const store = await make();
      opened.push(store);
      return store;
    };
    const scopeOf = (tenant?: string): Scope => {
      const scope = freshScope(tenant);
      used.push(scope);
      return scope;
    };
    afterEach(async () => {
      for (const scope of used.splice(0)) await (opened[0] ?? (await open())).forget(scope, signal);
      for (const store of opened.splice(0)) await store.close();
    });

    it("finds the point that shares rarer words first", async () => {
      const [store, scope] = [await open(), scopeOf()];
      await store.write(
        scope,
        { put: [file("a", "common rare"), file("b", "common common other"), file("c", "common third")], remove: [] },
        signal,
      );
      const [hits] = await store.search(scope, [sparse("common rare", 10)], signal);
      expect(hits!.map(({ group }) => group)).toEqual(["file:a", "file:b", "file:c"]);
      expect(hits![0]).toMatchObject({ point: 0, payload: { path: "a" } });
      expect(hits![0]!.score).toBeGreaterThan(hits![1]!.score * 2);
    });

    it("scores by query weight x rarity x stored weight", async () => {
      const [store, scope] = [await open(), scopeOf()];
      const vector = vectorOf(new Map([[hashOf(`only-${scope.repository}`), 1.5]]));
      await store.write(
        scope,
        { put: [{ name: "file:x", tag: "1", points: [{ payload: {}, vectors: { chunk: vector } }] }], remove: [] },
        signal,
      );
      const terms = vectorOf(new Map([[hashOf(`only-${scope.repository}`), 2]]));
      const [hits] = await store.search(scope, [{ vector: "chunk", terms, limit: 5 }], signal);
      // Alone in its scope: rarity ln(1 + 0.5 / 1.5).
      expect(hits![0]!.score).toBeCloseTo(2 * 1.5 * Math.log(1 + 0.5 / 1.5), 2);
    });

    it("counts how rare a word is within a scope: what others store changes no score", async () => {
      const [store, mine, sibling, theirs] = [await open(), scopeOf("acme"), scopeOf("acme"), scopeOf("rival")];
      const put = [file("a", "common rare"), file("b", "common common other"), file("c", "third")];
      await store.write(mine, { put, remove: [] }, signal);
      const scores = async () =>
        (await store.search(mine, [sparse("common rare", 5), sparse("third other", 5)], signal)).map((hits) =>
          hits.map(({ group, score }) => [group, score]),
        );
      const before = await scores();
      expect(before.map((hits) => hits.length)).toEqual([2, 2]);
      const many = Array.from({ length: 40 }, (_, at) => file(`f${at}`, at % 2 === 0 ? "rare" : "rare third"));
      for (const other of [sibling, theirs]) await store.write(other, { put: many, remove: [] }, signal);
      expect(await scores()).toEqual(before);
    });

    it("answers each query of a batch by itself, within its limit", async () => {
      const [store, scope] = [await open(), scopeOf()];
      await store.write(
        scope,
        { put: ["a", "b", "c"].map((path) => file(path, `${path} shared`)), remove: [] },
        signal,
      );
      const [first, second, third] = await store.search(
        scope,
        [sparse("shared", 2), sparse("b", 10), sparse("nowhere", 10)],
        signal,
      );
      expect(first).toHaveLength(2);
      expect(second!.map(({ group }) => group)).toEqual(["file:b"]);
      expect(third).toEqual([]);
    });

    it("tells the names and tags of what it holds, by their beginning, and the payload of each", async () => {
      const [store, scope] = [await open(), scopeOf()];
      await store.write(scope, { put: [file("a", "x"), { ...file("z", "y"), name: "commit:1" }], remove: [] }, signal);
      expect(await store.groups(scope, "file:", signal)).toEqual(new Map([["file:a", "tag-a"]]));
      expect(await store.names(scope, "file:", signal)).toEqual(["file:a"]);
      expect(await store.payloads(scope, "commit:", signal)).toEqual(new Map([["commit:1", { path: "z" }]]));
    });

    it("answers the same after it was optimized, here and in another process, and shows what is written after that", async () => {
      const [store, scope] = [await open(), scopeOf()];
      const groups = ["a", "b", "c"].map((path) => file(path, `${path} ${path} shared`));
      const dense: Group = { name: "file:near", tag: "1", points: [point("shared"), densePoint([0, 1, 0])] };
      await store.write(scope, { put: [...groups, dense], remove: [] }, signal);
      const queries: Query[] = [
        sparse("b shared", 10),
        sparse("hidden", 5),
        { dense: Float32Array.of(0, 1, 0), limit: 5 },
      ];
      const told = async (of: PointStore) =>
        (await of.search(scope, queries, signal)).map((hits) =>
          hits.map(({ group, point: at, score, payload }) => ({ group, at, score, payload })),
        );
      const before = await told(store);
      expect(before.map((hits) => hits[0]?.group)).toEqual(["file:b", "file:near", "file:near"]);
      await store.optimize(scope, signal);
      await store.optimize(scope, signal);
      const again = await open();
      expect([await told(store), await told(again)]).toEqual([before, before]);
      expect((await again.names(scope, "file:", signal)).toSorted()).toEqual([
        "file:a",
        "file:b",
        "file:c",
        "file:near",
      ]);
      await again.write(scope, { put: [file("d", "late")], remove: ["file:b"] }, signal);
      const [late, gone] = await (await open()).search(scope, [sparse("late", 5), sparse("b", 5)], signal);
      expect([late!.map(({ group }) => group), gone]).toEqual([["file:d"], []]);
    });

    it("replaces a group as a whole: nothing of the old one is found, also where it had more points", async () => {
      const [store, scope] = [await open(), scopeOf()];
      const long: Group = { ...file("a", "old"), points: ["old", "older", "oldest"].map(point) };
      await store.write(scope, { put: [long], remove: [] }, signal);
      await store.write(scope, { put: [{ ...file("a", "new"), tag: "2" }], remove: [] }, signal);
      const answers = await store.search(
        scope,
        ["old", "older", "oldest", "new"].map((word) => sparse(word, 5)),
        signal,
      );
      expect(answers.map((hits) => hits.length)).toEqual([0, 0, 0, 1]);
      expect(await store.groups(scope, "file:", signal)).toEqual(new Map([["file:a", "2"]]));
    });

    it("takes a group away, and a write may be repeated", async () => {
      const [store, scope] = [await open(), scopeOf()];
      const change = { put: [file("a", "alpha"), file("b", "beta")], remove: [] };
      await store.write(scope, change, signal);
      await store.write(scope, change, signal);
      await store.write(scope, { put: [], remove: ["file:a", "file:never"] }, signal);
      await store.write(scope, { put: [], remove: ["file:a"] }, signal);
      const answers = await store.search(scope, [sparse("alpha", 5), sparse("beta", 5)], signal);
      expect(answers.map((hits) => hits.length)).toEqual([0, 1]);
    });

    it("keeps what was written for the next process", async () => {
      const [store, scope] = [await open(), scopeOf()];
      await store.write(scope, { put: [file("a", "kept")], remove: [] }, signal);
      await store.setNote(scope, { commit: "abc" }, signal);
      const again = await open();
      expect((await again.search(scope, [sparse("kept", 5)], signal))[0]).toHaveLength(1);
      expect(await again.note(scope, signal)).toEqual({ commit: "abc" });
    });

    it("sees at once what another process wrote", async () => {
      const [one, other, scope] = [await open(), await open(), scopeOf()];
      await one.write(scope, { put: [file("a", "first")], remove: [] }, signal);
      expect((await other.search(scope, [sparse("first", 5)], signal))[0]).toHaveLength(1);
      await one.write(scope, { put: [file("b", "second")], remove: ["file:a"] }, signal);
      const answers = await other.search(scope, [sparse("first", 5), sparse("second", 5)], signal);
      expect(answers.map((hits) => hits.length)).toEqual([0, 1]);
    });

    it("never shows one tenant's or repository's points, names, payloads or notes to another", async () => {
      const store = await open();
      const [mine, theirs] = [scopeOf("acme"), scopeOf("rival")];
      const others: Scope[] = [
        theirs,
        { tenant: mine.tenant, repository: theirs.repository },
        { tenant: theirs.tenant, repository: mine.repository },
        { tenant: `${mine.tenant}/${mine.repository}`, repository: "" },
        { tenant: "", repository: `${mine.tenant}/${mine.repository}` },
      ];
      await store.write(
        mine,
        { put: [{ ...file("secret", "hidden"), points: [densePoint([1, 0, 0])] }], remove: [] },
        signal,
      );
      await store.setNote(mine, { commit: "secret" }, signal);
      for (const other of others) {
        const queries: Query[] = [sparse("hidden", 5), { dense: Float32Array.of(1, 0, 0), limit: 5 }];
        expect(await store.search(other, queries, signal)).toEqual([[], []]);
        expect(await store.groups(other, "file:", signal)).toEqual(new Map());
        expect(await store.names(other, "file:", signal)).toEqual([]);
        expect(await store.payloads(other, "file:", signal)).toEqual(new Map());
        expect(await store.note(other, signal)).toBeNull();
        await store.write(other, { put: [], remove: ["file:secret"] }, signal);
        await store.forget(other, signal);
      }
      const [words, near] = await store.search(
        mine,
        [sparse("hidden", 5), { dense: Float32Array.of(1, 0, 0), limit: 5 }],
        signal,
      );
      expect([words!.length, near!.length]).toEqual([1, 1]);
      expect(await store.note(mine, signal)).toEqual({ commit: "secret" });
    });

    it("never shows what a forgotten repository had in place of the next one's, also where another connection holds it", async () => {
      const [one, other, gone, next] = [await open(), await open(), scopeOf("acme"), scopeOf("rival")];
      await one.write(gone, { put: [file("secret", "hidden")], remove: [] }, signal);
      expect((await other.search(gone, [sparse("hidden", 5)], signal))[0]).toHaveLength(1);
      await one.forget(gone, signal);
      await one.write(next, { put: [file("b", "plain")], remove: [] }, signal);
      const [hidden, plain] = await other.search(next, [sparse("hidden", 5), sparse("plain", 5)], signal);
      expect([hidden, plain!.map(({ group }) => group)]).toEqual([[], ["file:b"]]);
      expect(await other.payloads(next, "file:", signal)).toEqual(new Map([["file:b", { path: "b" }]]));
    });

    it("finds by dense vectors, the nearest direction first, and loses them with their group", async () => {
      const [store, scope] = [await open(), scopeOf()];
      const groups = [
        { name: "file:north", tag: "1", points: [densePoint([0, 2, 0])] },
        { name: "file:east", tag: "1", points: [densePoint([1, 0, 0]), densePoint([0.9, 0.5, 0])] },
      ];
      await store.write(scope, { put: groups, remove: [] }, signal);
      const query: Query = { dense: Float32Array.of(0.1, 1, 0), limit: 2 };
      const [hits] = await store.search(scope, [query], signal);
      expect(hits!.map(({ group, point: at }) => [group, at])).toEqual([
        ["file:north", 0],
        ["file:east", 1],
      ]);
      expect(hits![0]!.score).toBeCloseTo(0.995, 2);
      await store.write(scope, { put: [], remove: ["file:north"] }, signal);
      expect((await store.search(scope, [query], signal))[0]!.map(({ group }) => group)).not.toContain("file:north");
    });

    it("forgets a repository with its note, and knows nothing of one that it never saw", async () => {
      const [store, scope] = [await open(), scopeOf()];
      await store.write(scope, { put: [file("a", "alpha")], remove: [] }, signal);
      await store.setNote(scope, { commit: "abc" }, signal);
      await store.forget(scope, signal);
      expect(await store.search(scope, [sparse("alpha", 5)], signal)).toEqual([[]]);
      expect(await store.groups(scope, "file:", signal)).toEqual(new Map());
      expect(await store.names(scope, "file:", signal)).toEqual([]);
      expect(await store.note(scope, signal)).toBeNull();
      await store.optimize(scope, signal);
      await store.forget(scope, signal);
    });

    it("stops when it is told to", async () => {
      const [store, scope] = [await open(), scopeOf()];
      const stopped = AbortSignal.abort(new Error("stopped"));
      await expect(store.write(scope, { put: [file("a", "x")], remove: [] }, stopped)).rejects.toThrow("stopped");
      expect(await store.groups(scope, "file:", signal)).toEqual(new Map());
    });

    it("takes more groups at once than fit one request", async () => {
      const [store, scope] = [await open(), scopeOf()];
      const put = Array.from({ length: 1_200 }, (_, at) => file(`f${at}`, `word${at} shared`));
      await store.write(scope, { put, remove: [] }, signal);
      expect((await store.groups(scope, "file:", signal)).size).toBe(1_200);
      expect((await store.search(scope, [sparse("word777", 5)], signal))[0]!.map(({ group }) => group)).toEqual([
        "file:f777",
      ]);
    });
  });
}

function words(text: string) {
  const weights = new Map<number, number>();
  for (const word of text.split(" ")) weights.set(hashOf(word), (weights.get(hashOf(word)) ?? 0) + 1);
  return vectorOf(weights);
}

const point = (text: string) => ({ payload: {}, vectors: { chunk: words(text) } });
const densePoint = (values: number[]) => ({ ...point("hidden"), dense: Float32Array.from(values) });

function file(path: string, text: string): Group {
  return { name: `file:${path}`, tag: `tag-${path}`, points: [{ ...point(text), payload: { path } }] };
}

function sparse(text: string, limit: number): Query {
  return { vector: "chunk", terms: words(text), limit };
}
