import { mkdtempSync, rmSync, writeFileSync, chmodSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findGitDir, openSourceRepository } from "../../activities/adapters/git/source.ts";
import { NotFound } from "../../domain/errors.ts";
import type { CodeIndex } from "../../domain/memory-ports.ts";
import { createCodeIndex } from "../../memory/code/code-index.ts";
import { openEmbeddedStore } from "../../memory/store/embedded.ts";
import { openQdrantStore } from "../../memory/store/qdrant.ts";
import type { PointStore } from "../../memory/store/store.ts";
import { playQdrant, type PlayedQdrant } from "./played-qdrant.ts";
import { countedSource, makeRepository, type TestRepository } from "./repository.ts";

const signal = new AbortController().signal;
const scope = { tenant: "acme", repository: "acme/shop" };

let folder: string;
let played: PlayedQdrant;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "mergewright-code-"));
  played = await playQdrant();
});
afterAll(async () => {
  await played.close();
  rmSync(folder, { recursive: true, force: true });
});

let number = 0;
const stores: [string, () => PointStore][] = [
  ["the embedded store", () => openEmbeddedStore(join(folder, `${number++}.db`))],
  ["Qdrant", () => openQdrantStore({ url: played.url, apiKey: null })],
];

describe.each(stores)("Code indexed in %s", (_, open) => {
  let repository: TestRepository;
  let store: PointStore;
  let code: CodeIndex;
  beforeEach(() => {
    repository = makeRepository();
    store = open();
    code = createCodeIndex({ store, embedder: null });
  });
  afterEach(async () => {
    await store.forget(scope, signal);
    await store.close();
    repository.remove();
  });
  const index = async (revision = "HEAD") => {
    const counted = countedSource(join(repository.folder, ".git"));
    const report = await code.index(scope, counted.source, revision, { signal });
    return { ...report, blobsRead: counted.blobs.length, commitsRead: counted.commits.length };
  };
  const search = async (text: string) =>
    (await code.search(scope, text, { limit: 20, signal })).map(({ path }) => path);

  it("finds the file that an issue is about, with lines and reasons", async () => {
    repository.commit("Add the shop", SHOP);
    await index();
    const [first] = await code.search(
      scope,
      "Discount is applied twice\n\n`applyDiscount` takes off 20 % for a code of 10 %.",
      { limit: 5, signal },
    );
    expect(first).toMatchObject({ path: "src/discount.ts", lines: [1, 9] });
    expect(first!.why.length).toBeGreaterThan(0);
    expect(first!.parts.reduce((sum, { points }) => sum + points, 0)).toBeCloseTo(first!.score, 2);
  });

  it("puts sources before their tests and documents", async () => {
    repository.commit("Add the shop", SHOP);
    await index();
    const found = await search("the discount is rounded");
    expect(found[0]).toBe("src/discount.ts");
    expect(found).toContain("test/discount.test.ts");
  });

  it("finds a file by its path in a stack trace, and by what similar changes touched", async () => {
    repository.commit("Add the shop", SHOP);
    repository.commit("Fix the receipt for guests who pay by voucher", {
      "src/printer.ts": "export const lineWidth = 40;\n",
    });
    await index();
    expect((await search("Error: boom\n    at render (/app/src/printer.ts:1:9)"))[0]).toBe("src/printer.ts");
    expect((await search("receipt is wrong for guests paying by voucher"))[0]).toBe("src/printer.ts");
  });

  it("finds what changed together with the file that fits, and comes after it, also where it has moved since", async () => {
    repository.commit("Add the shop", SHOP);
    const discount = SHOP["src/discount.ts"];
    for (const at of [1, 2])
      repository.commit(`Step ${at}`, {
        "src/discount.ts": `${discount}// ${at}\n`,
        "src/ledger.ts": `export const zero = ${at};\n`,
      });
    await index();
    const found = async () => {
      const hits = await code.search(scope, "`applyDiscount` counts twice", { limit: 20, signal });
      return hits.map(({ path, why, parts }) => ({ path, why, signals: parts.map((part) => part.signal) }));
    };
    const [first, ...others] = await found();
    expect(first!.path).toBe("src/discount.ts");
    expect(others.find(({ path }) => path === "src/ledger.ts")).toEqual({
      path: "src/ledger.ts",
      why: [expect.stringContaining("earlier changes")],
      signals: ["companions"],
    });
    repository.commit("Move", { "src/ledger.ts": null, "src/books/ledger.ts": "export const zero = 2;\n" });
    await index();
    expect((await found()).map(({ path }) => path)).toContain("src/books/ledger.ts");
  });

  it("reads nothing when nothing changed, and only what changed otherwise", async () => {
    repository.commit("Add the shop", SHOP);
    expect(await index()).toMatchObject({ files: 5, changed: 5, unchanged: false, newCommits: 1 });
    expect(await index()).toMatchObject({ changed: 0, unchanged: true, blobsRead: 0, commitsRead: 0 });
    repository.commit("Nothing", {});
    expect(await index()).toMatchObject({ changed: 0, removed: 0, blobsRead: 0, commitsRead: 1 });
    repository.commit("Change one, delete one", { "src/cart.ts": "export class Basket {}\n", "docs/shop.md": null });
    expect(await index()).toMatchObject({ files: 4, changed: 1, removed: 1, blobsRead: 1, commitsRead: 1 });
    expect(await search("basket")).toContain("src/cart.ts");
    expect(await search("opening hours")).not.toContain("docs/shop.md");
  });

  it("follows a forced push: what is no longer in the story is forgotten", async () => {
    const base = repository.commit("Add the shop", SHOP);
    repository.commit("Teach the giraffe to tango", { "src/giraffe.ts": "export const giraffe = true;\n" });
    await index();
    expect(await search("giraffe tango")).toContain("src/giraffe.ts");
    repository.git("reset", "-q", "--hard", base);
    repository.commit("Another way", { "src/zebra.ts": "export const zebra = true;\n" });
    expect(await index()).toMatchObject({ changed: 1, removed: 1, blobsRead: 1, commitsRead: 1, commits: 2 });
    expect(await search("giraffe tango")).not.toContain("src/giraffe.ts");
    expect(await store.groups(scope, "commit:", signal)).toHaveProperty("size", 2);
  });

  it("goes back to an older commit and knows nothing of what came later", async () => {
    const base = repository.commit("Add the shop", SHOP);
    repository.commit("Add the oracle", { "src/oracle.ts": "export const oracle = 1;\n" });
    await index();
    expect(await index(base)).toMatchObject({ commit: base, removed: 1, commits: 1, blobsRead: 0 });
    expect(await search("oracle")).toEqual([]);
  });

  it("goes on where an index was interrupted", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 450 }, (_, at) => [`src/f${at}.ts`, `export const name${at} = ${at};\n`]),
    );
    repository.commit("Many", many);
    const controller = new AbortController();
    const counted = countedSource(join(repository.folder, ".git"));
    const interrupted = code.index(scope, counted.source, "HEAD", {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(interrupted).rejects.toThrow("enough");
    const rest = await index();
    expect(rest.changed).toBe(250);
    expect(rest.blobsRead).toBe(250);
    expect(await search("name449")).toContain("src/f449.ts");
  });

  it("does not take what an interrupted index left for the commit before it", async () => {
    const base = repository.commit("Add the shop", SHOP);
    await index();
    const many = Object.fromEntries(
      Array.from({ length: 250 }, (_, at) => [`src/f${at}.ts`, `export const name${at} = ${at};\n`]),
    );
    repository.commit("Many", many);
    const controller = new AbortController();
    const interrupted = code.index(scope, countedSource(join(repository.folder, ".git")).source, "HEAD", {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(interrupted).rejects.toThrow("enough");
    expect(await index(base)).toMatchObject({ files: 5, removed: 200, unchanged: false });
    // Whoever had not ended may still have been about to write.
    expect(await index(base)).toMatchObject({ changed: 0, removed: 0, unchanged: false });
    expect(await index(base)).toMatchObject({ unchanged: true });
  });

  it.each([
    ["the only batch of", 0, 1],
    ["a later batch of", 1, 250],
  ])(
    "repairs what %s another writer, who was killed, had in its hands while this one indexed",
    async (_, at, files) => {
      const text = (word: string, count: number) =>
        Object.fromEntries(
          Array.from({ length: count }, (_each, which) => [`src/f${which}.ts`, `const ${word} = ${which};\n`]),
        );
      repository.commit("Start", { "README.md": "read\n" });
      await index();
      const one = repository.commit("One", text("earlier", files));
      const two = repository.commit("Two", text("later", files));
      let writes = 0;
      const slow: PointStore = {
        ...store,
        async write(...change) {
          if (writes++ === at) {
            expect(await index(two)).toMatchObject({ commit: two });
            await store.write(...change);
            throw new Error("killed");
          }
          await store.write(...change);
        },
      };
      const { source } = countedSource(join(repository.folder, ".git"));
      const killed = createCodeIndex({ store: slow, embedder: null }).index(scope, source, one, { signal });
      await expect(killed).rejects.toThrow("killed");
      expect((await search("earlier")).length).toBeGreaterThan(0);
      expect(await index(two)).toMatchObject({ unchanged: false });
      expect(await search("earlier")).toEqual([]);
      await index(two);
      expect(await index(two)).toMatchObject({ unchanged: true });
    },
  );

  it("is compared once more where a writer that was thought dead went on", async () => {
    repository.commit("Start", { "README.md": "read\n" });
    await index();
    const one = repository.commit("One", { "src/a.ts": "const earlier = 1;\n", "src/b.ts": "const earlier = 2;\n" });
    const two = repository.commit("Two", { "src/a.ts": "const later = 1;\n", "src/b.ts": "const later = 2;\n" });
    const { source } = countedSource(join(repository.folder, ".git"));
    // It stands still between its look at the tree and its first write, for as long as two others take.
    const slow = {
      ...source,
      contents: async (...wanted: Parameters<typeof source.contents>) => {
        for (let at = 0; at < 3; at++) await index(two);
        expect(await index(two)).toMatchObject({ unchanged: true });
        return source.contents(...wanted);
      },
      history: () => Promise.reject(new Error("killed")),
    };
    await expect(code.index(scope, slow, one, { signal })).rejects.toThrow("killed");
    expect(await index(two)).toMatchObject({ changed: 2, unchanged: false });
  });

  it("tells how far it is", async () => {
    repository.commit("Add the shop", SHOP);
    const told: unknown[] = [];
    await code.index(scope, openSourceRepository(process.env, join(repository.folder, ".git")), "HEAD", {
      signal,
      onProgress: (progress) => told.push(progress),
    });
    expect(told).toEqual([
      { step: "files", done: 5, total: 5 },
      { step: "history", done: 1, total: 1 },
    ]);
  });

  it("shows a repository to its own tenant alone, and forgets it when it goes", async () => {
    repository.commit("Add the shop", SHOP);
    await index();
    const rival = { tenant: "rival", repository: scope.repository };
    await expect(code.search(rival, "discount", { limit: 5, signal })).rejects.toThrow(NotFound);
    await code.remove(rival, signal);
    expect(await search("discount")).toContain("src/discount.ts");
    await code.remove(scope, signal);
    await expect(code.search(scope, "discount", { limit: 5, signal })).rejects.toThrow(/not indexed yet: the next run/);
  });
});

describe("The source of a repository", () => {
  let repository: TestRepository;
  beforeEach(() => {
    repository = makeRepository();
    repository.commit("Add the shop", SHOP);
  });
  afterEach(() => repository.remove());

  it("is found from a folder within, a linked work tree, a bare repository; and said to be missing elsewhere", async () => {
    const linked = join(folder, `linked-${number++}`);
    repository.git("worktree", "add", "-q", linked);
    const bare = join(folder, `bare-${number++}.git`);
    repository.git("clone", "-q", "--bare", repository.folder, bare);
    const gitDir = join(repository.folder, ".git");
    expect(await findGitDir(join(repository.folder, "src"))).toBe(gitDir);
    expect(await findGitDir(bare)).toBe(bare);
    const fromLinked = openSourceRepository(process.env, await findGitDir(linked));
    expect((await fromLinked.tree(await fromLinked.resolve("HEAD", signal), signal)).size).toBe(5);
    await expect(findGitDir(join(folder, "nowhere"))).rejects.toThrow(/no folder/);
  });

  it("never runs what the repository's own configuration, hooks and attributes name", async () => {
    const mark = join(repository.folder, "ran");
    const script = join(repository.folder, "evil.sh");
    writeFileSync(script, `#!/bin/sh\ntouch ${mark}\n`);
    chmodSync(script, 0o755);
    for (const key of [
      "core.fsmonitor",
      "core.sshCommand",
      "core.pager",
      "diff.external",
      "gpg.program",
      "core.hooksPath",
      "core.alternateRefsCommand",
      "diff.evil.textconv",
      "filter.evil.smudge",
      "filter.evil.clean",
    ])
      repository.git("config", key, key === "core.hooksPath" ? repository.folder : script);
    repository.git("config", "log.showSignature", "true");
    repository.git("config", "extensions.partialClone", "origin");
    repository.git("config", "remote.origin.url", `ext::${script}`);
    repository.git("config", "remote.origin.promisor", "true");
    repository.git("config", "protocol.ext.allow", "always");
    writeFileSync(join(repository.folder, ".git", "info", "attributes"), "* diff=evil filter=evil\n");
    const source = openSourceRepository(process.env, join(repository.folder, ".git"));
    const commit = await source.resolve("HEAD", signal);
    const tree = await source.tree(commit, signal);
    // The last blob is one that the repository does not have: Git would fetch it.
    const blobs = [...tree.values(), "1".repeat(40)];
    await source.sizes(blobs, signal).catch(() => null);
    await source.contents(blobs, signal).catch(() => null);
    await source.commits(await source.history(commit, 10, signal), signal);
    expect(existsSync(mark)).toBe(false);
  });

  it("reads names with spaces, quotes, line breaks and letters of any language", async () => {
    const odd = ["a b.ts", 'quo"te.ts', "line\nbreak.ts", "größe-日本.ts", "-rf.ts"];
    const head = repository.commit("Odd names", Object.fromEntries(odd.map((path) => [path, `// ${path}\n`])));
    const source = openSourceRepository(process.env, join(repository.folder, ".git"));
    const tree = await source.tree(head, signal);
    expect([...tree.keys()]).toEqual(expect.arrayContaining(odd));
    const [{ files } = { files: [] }] = await source.commits([head], signal);
    expect(new Set(files)).toEqual(new Set(odd));
  });

  it("takes a revision as a name only, never as an option", async () => {
    const source = openSourceRepository(process.env, join(repository.folder, ".git"));
    await expect(source.resolve("--all", signal)).rejects.toThrow(NotFound);
    await expect(source.resolve("nothing-of-this-name", signal)).rejects.toThrow(NotFound);
  });
});

const SHOP = {
  "src/cart.ts":
    "export class Cart {\n  items: string[] = [];\n  add(item: string) {\n    this.items.push(item);\n  }\n}\n",
  "src/discount.ts":
    "/** Takes a discount off a price. */\nexport function applyDiscount(price: number, percent: number): number {\n  return round(price - (price * percent) / 100);\n}\n\nfunction round(value: number): number {\n  // The discount is rounded to cents.\n  return Math.round(value * 100) / 100;\n}\n",
  "src/printer.ts": "export const lineWidth = 80;\n",
  "test/discount.test.ts":
    "it('rounds the discount', () => applyDiscount(10, 10));\nit('the discount is applied once', () => undefined);\n",
  "docs/shop.md": "# Shop\n\nOpening hours, and how the discount is rounded.\n",
};
