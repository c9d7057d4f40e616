import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NotFound, RequestRefused, UnacceptableObjects } from "../../domain/errors.ts";
import { createBench, FILES, git, never, REPOSITORY, type Bench } from "./support.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench.end());

describe("a mirror", () => {
  it("tells the commit of the branch it fetched, and follows the branch", async () => {
    const mirror = bench.another();
    expect(await mirror.fetch(REPOSITORY, bench.cloneUrl, "main", never)).toBe(bench.base);
    git(bench.work, ["checkout", "--quiet", "-b", "moving"]);
    const next = bench.change({ "src/new.js": "1\n" });
    git(bench.work, ["push", "--quiet", bench.upstream, "moving"]);
    expect(await mirror.fetch(REPOSITORY, bench.cloneUrl, "moving", never)).toBe(next);
    git(bench.work, ["reset", "--quiet", "--hard", bench.base]);
    const rewritten = bench.change({ "src/other.js": "2\n" });
    git(bench.work, ["push", "--quiet", "--force", bench.upstream, "moving"]);
    expect(await mirror.fetch(REPOSITORY, bench.cloneUrl, "moving", never)).toBe(rewritten);
    // The commit from before the forced push may be the base of a run.
    expect(await mirror.paths(REPOSITORY, next, never)).toContain("src/new.js");
    await mirror.tidy(REPOSITORY, never);
    expect(await mirror.paths(REPOSITORY, next, never)).toContain("src/new.js");
    git(bench.work, ["checkout", "--quiet", "main"]);
  });

  it("may stand in a folder named relative to where the worker was started", async () => {
    const mirror = bench.another({ dir: relative(process.cwd(), join(bench.root, "relative")) });
    expect(await mirror.fetch(REPOSITORY, bench.cloneUrl, "main", never)).toBe(bench.base);
    expect(await mirror.take(REPOSITORY, bench.bundle("main"), never)).toBe(bench.base);
    expect(readdirSync(join(bench.root, "relative", "acme"))).toEqual(["widgets.git"]);
  });

  it("is one folder however the repository's name is spelled", async () => {
    expect(await bench.mirror.fetch("ACME/widgets", bench.cloneUrl, "main", never)).toBe(bench.base);
    expect(readdirSync(join(bench.root, "mirrors-1", "acme"))).toEqual(["widgets.git"]);
  });

  it("reads regular files by exact path, and leaves out what is missing, a folder or a link", async () => {
    git(bench.work, ["checkout", "--quiet", "-b", "links"]);
    execFileSync("ln", ["-s", "/etc/passwd", join(bench.work, "link")]);
    const commit = bench.change({ "näme\twith [odd] *signs*\n.txt": "odd\n", "empty.txt": "" });
    await bench.mirror.take(REPOSITORY, bench.bundle("links", "^main"), never);
    const wanted = [
      "README.md",
      "link",
      "src",
      "missing",
      "näme\twith [odd] *signs*\n.txt",
      "empty.txt",
      "../x",
      "/etc/passwd",
      ":README.md",
      "--help",
    ];
    const found = await bench.mirror.files(REPOSITORY, commit, wanted, never);
    expect([...found].map(([path, content]) => [path, Buffer.from(content).toString()])).toEqual(
      expect.arrayContaining([
        ["README.md", FILES["README.md"]],
        ["näme\twith [odd] *signs*\n.txt", "odd\n"],
        ["empty.txt", ""],
      ]),
    );
    expect(found.size).toBe(3);
    expect(await bench.mirror.paths(REPOSITORY, commit, never)).toEqual(
      expect.arrayContaining(["README.md", "link", "src/sum.js", "näme\twith [odd] *signs*\n.txt"]),
    );
    git(bench.work, ["checkout", "--quiet", "main"]);
  });

  it("makes a bundle that a sandbox can clone, with the history, under refs/heads/base", async () => {
    const bytes = await bench.mirror.bundle(REPOSITORY, bench.base, null, never);
    const folder = join(bench.root, "cloned");
    writeFileSync(`${folder}.bundle`, bytes);
    git(bench.root, ["clone", "--quiet", "-b", "base", `${folder}.bundle`, folder]);
    expect(git(folder, ["rev-parse", "HEAD"])).toBe(bench.base);
    expect(readFileSync(join(folder, "src/sum.js"), "utf8")).toBe(FILES["src/sum.js"]);
  });

  it("hands commits on to another machine's mirror: first with the history, then only what is new", async () => {
    const made = await bench.mirror.commit(
      REPOSITORY,
      {
        treeOf: bench.base,
        parents: [bench.base],
        message: "Ours",
        author: { name: "Mergewright", email: "bot@example.com" },
        date: "2026-11-20T10:00:00.000Z",
      },
      never,
    );
    const whole = await bench.mirror.bundle(REPOSITORY, bench.base, null, never);
    const onTop = await bench.mirror.bundle(REPOSITORY, made, bench.base, never);
    expect(onTop.length).toBeLessThan(whole.length);
    const elsewhere = bench.another();
    expect(await elsewhere.has(REPOSITORY, bench.base, never)).toBe(false);
    await elsewhere.restore(REPOSITORY, whole, never);
    expect(await elsewhere.has(REPOSITORY, made, never)).toBe(false);
    expect(await elsewhere.restore(REPOSITORY, onTop, never)).toBe(made);
    expect(await elsewhere.has(REPOSITORY, made, never)).toBe(true);
    expect(await elsewhere.paths(REPOSITORY, made, never)).toEqual(await bench.mirror.paths(REPOSITORY, made, never));
  });

  it("says which limit a history exceeds", async () => {
    const small = bench.another({ maxBundleBytes: 100 });
    await small.fetch(REPOSITORY, bench.cloneUrl, "main", never);
    await expect(small.bundle(REPOSITORY, bench.base, null, never)).rejects.toThrow(/larger than 100 bytes/);
    await expect(small.take(REPOSITORY, bench.bundle("main"), never)).rejects.toThrow(UnacceptableObjects);
  });

  it("makes the same commit from the same input, and keeps it through git gc", async () => {
    const input = {
      treeOf: bench.base,
      parents: [bench.base],
      message: "Mend the sum\n\nRefs #7",
      author: { name: "Mergewright", email: "bot@example.com" },
      date: "2026-11-20T10:00:00.000Z",
    };
    const first = await bench.mirror.commit(REPOSITORY, input, never);
    expect(await bench.mirror.commit(REPOSITORY, input, never)).toBe(first);
    const elsewhere = bench.another();
    await elsewhere.fetch(REPOSITORY, bench.cloneUrl, "main", never);
    expect(await elsewhere.commit(REPOSITORY, input, never)).toBe(first);
    const dir = join(bench.root, "mirrors-1", "acme", "widgets.git");
    git(dir, ["--git-dir=.", "gc", "--quiet", "--prune=now"]);
    expect(git(dir, ["--git-dir=.", "show", "-s", "--format=%an %ae %cn %at %ct %B", first])).toContain(
      "Mergewright bot@example.com Mergewright 1795168800 1795168800 Mend the sum\n\nRefs #7",
    );
    await bench.mirror.release(REPOSITORY, [first, "0".repeat(39) + "1"], never);
    git(dir, ["--git-dir=.", "reflog", "expire", "--expire=now", "--all"]);
    git(dir, ["--git-dir=.", "gc", "--quiet", "--prune=now"]);
    await expect(bench.mirror.paths(REPOSITORY, first, never)).rejects.toThrow(NotFound);
  });

  it("lays the named files of one commit over another, deletes what is gone, and leaves the rest", async () => {
    git(bench.work, ["checkout", "--quiet", "-b", "overlay"]);
    const changed = bench.change({
      "src/sum.js": "fixed\n",
      "test/sum.test.js": null,
      "test/deep/new.test.js": "new\n",
      "test/data": "now a file\n",
    });
    await bench.mirror.take(REPOSITORY, bench.bundle("overlay", "^main"), never);
    const paths = ["test/sum.test.js", "test/deep/new.test.js", "test/data", "test/never-was"];
    const made = await bench.mirror.overlay(REPOSITORY, { onto: bench.base, from: changed, paths }, never);
    expect(await bench.mirror.overlay(REPOSITORY, { onto: bench.base, from: changed, paths }, never)).toBe(made);
    expect((await bench.mirror.paths(REPOSITORY, made, never)).sort()).toEqual([
      "README.md",
      "src/sum.js",
      "test/data",
      "test/deep/new.test.js",
    ]);
    const { files } = await bench.mirror.diff(REPOSITORY, bench.base, made, never);
    expect(files.map(({ path, status }) => `${status} ${path}`).sort()).toEqual([
      "added test/data",
      "added test/deep/new.test.js",
      "deleted test/sum.test.js",
    ]);
    git(bench.work, ["checkout", "--quiet", "main"]);
  });

  it.each([
    [
      "a branch like an option",
      (m: Bench["mirror"]) => m.fetch(REPOSITORY, bench.cloneUrl, "--upload-pack=touch pwned", never),
    ],
    [
      "a branch with a refspec",
      (m: Bench["mirror"]) => m.fetch(REPOSITORY, bench.cloneUrl, "main:refs/heads/x", never),
    ],
    ["an option as address", (m: Bench["mirror"]) => m.fetch(REPOSITORY, "--config=core.gitproxy=x", "main", never)],
    ["an ext:: address", (m: Bench["mirror"]) => m.fetch(REPOSITORY, "ext::sh -c touch% pwned", "main", never)],
    ["ssh", (m: Bench["mirror"]) => m.fetch(REPOSITORY, "ssh://-oProxyCommand=x/y", "main", never)],
    [
      "an address with a password",
      (m: Bench["mirror"]) => m.fetch(REPOSITORY, "https://u:hunter22@example.com/a/b.git", "main", never),
    ],
    [
      "plain http to elsewhere",
      (m: Bench["mirror"]) => m.fetch(REPOSITORY, "http://example.com/a/b.git", "main", never),
    ],
    ["a repository outside the folder", (m: Bench["mirror"]) => m.fetch("../../etc", bench.cloneUrl, "main", never)],
    ["an option as commit", (m: Bench["mirror"]) => m.diff(REPOSITORY, "--output=x", bench.base, never)],
    ["a short commit", (m: Bench["mirror"]) => m.paths(REPOSITORY, "HEAD", never)],
    [
      "a push to the default branch",
      (m: Bench["mirror"]) =>
        m.push(REPOSITORY, bench.cloneUrl, { branch: "main", commit: bench.base, expected: bench.base }, never),
    ],
  ])("refuses %s before git sees it", async (_, act) => {
    const error = await act(bench.mirror).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RequestRefused);
    expect(String(error)).not.toContain("hunter22");
  });

  it("says what to do when it does not know a commit or a mirror", async () => {
    await expect(bench.mirror.paths(REPOSITORY, "1".repeat(40), never)).rejects.toThrow(NotFound);
    await expect(bench.mirror.diff(REPOSITORY, bench.base, "1".repeat(40), never)).rejects.toThrow(NotFound);
    await expect(bench.mirror.bundle(REPOSITORY, "1".repeat(40), null, never)).rejects.toThrow(NotFound);
    await expect(bench.mirror.paths("acme/unknown", bench.base, never)).rejects.toThrow(/fetch its base branch first/);
  });

  it("leaves nothing behind in its folder but the mirror and its lock", () => {
    expect(readdirSync(join(bench.root, "mirrors-1", "acme", "widgets.git", "mergewright"))).toEqual(["lock"]);
  });
});

describe("two workers on one folder", () => {
  it("may make the mirror, fetch, take and write at the same time", async () => {
    const dir = join(bench.root, "shared");
    const workers = Array.from({ length: 4 }, () => bench.another({ dir }));
    git(bench.work, ["checkout", "--quiet", "-B", "both", bench.base]);
    const head = bench.change({ "both.txt": "x\n" });
    const bundle = bench.bundle("both", `^${bench.base}`);
    const input = {
      treeOf: head,
      parents: [bench.base],
      message: "m",
      author: { name: "M", email: "m@x" },
      date: "2026-01-01T00:00:00Z",
    };
    const made = await Promise.all(
      workers.map(async (mirror) => {
        expect(await mirror.fetch(REPOSITORY, bench.cloneUrl, "main", never)).toMatch(/^[0-9a-f]{40}$/);
        expect(await mirror.take(REPOSITORY, bundle, never)).toBe(head);
        return mirror.commit(REPOSITORY, input, never);
      }),
    );
    expect(new Set(made).size).toBe(1);
    expect(readdirSync(join(dir, "acme"))).toEqual(["widgets.git"]);
    git(bench.work, ["checkout", "--quiet", "main"]);
  });
});
