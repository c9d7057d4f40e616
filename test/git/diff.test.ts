import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_PATCH_BYTES } from "../../domain/change.ts";
import { readPatch } from "../../domain/patch.ts";
import { createBench, git, never, REPOSITORY, type Bench } from "./support.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench.end());

describe("a diff tells", () => {
  it("each kind of change with modes, lines and sizes", async () => {
    git(bench.work, ["checkout", "--quiet", "-b", "before"]);
    const long = Array.from({ length: 30 }, (_, index) => `line ${index}\n`).join("");
    bench.change({
      "moved.txt": long,
      "gone.txt": "a\nb\n",
      "mode.sh": "echo\n",
      "kind.txt": "text\n",
      "same.txt": "same\n",
      "tab\there": "1\n",
    });
    const base = await bench.mirror.take(REPOSITORY, bench.bundle("before", "^main"), never);
    git(bench.work, ["checkout", "--quiet", "-b", "after"]);
    execFileSync("chmod", ["+x", join(bench.work, "mode.sh")]);
    execFileSync("ln", ["-sf", "same.txt", join(bench.work, "kind.txt")]);
    bench.change({
      "moved.txt": null,
      "to/moved.txt": `${long}one more\n`,
      "gone.txt": null,
      "new.txt": "1\n2\n",
      "bin.dat": Buffer.from([0, 1, 2, 3]),
      "tab\there": "2\n",
      "ünï\n.txt": "x",
    });
    const head = await bench.mirror.take(REPOSITORY, bench.bundle("after", "^before"), never);
    const change = await bench.mirror.diff(REPOSITORY, base, head, never);
    const by = Object.fromEntries(change.files.map((file) => [file.path, file]));
    expect(change).toMatchObject({ base, head, patchTruncated: false });
    expect(by["to/moved.txt"]).toMatchObject({ status: "renamed", oldPath: "moved.txt", additions: 1, deletions: 0 });
    expect(by["gone.txt"]).toEqual({
      path: "gone.txt",
      oldPath: null,
      status: "deleted",
      oldMode: "100644",
      newMode: "000000",
      additions: 0,
      deletions: 2,
      newBytes: 0,
    });
    expect(by["new.txt"]).toEqual({
      path: "new.txt",
      oldPath: null,
      status: "added",
      oldMode: "000000",
      newMode: "100644",
      additions: 2,
      deletions: 0,
      newBytes: 4,
    });
    expect(by["mode.sh"]).toMatchObject({
      status: "modified",
      oldMode: "100644",
      newMode: "100755",
      additions: 0,
      deletions: 0,
    });
    expect(by["kind.txt"]).toMatchObject({ status: "type-changed", newMode: "120000" });
    expect(by["bin.dat"]).toMatchObject({ status: "added", additions: null, deletions: null, newBytes: 4 });
    expect(by["ünï\n.txt"]).toMatchObject({ status: "added", additions: 1 });
    expect(change.files).toHaveLength(8);
    const patch = Object.fromEntries(readPatch(change.patch).map((file) => [file.newPath ?? file.oldPath, file]));
    expect(patch["tab\there"]).toEqual({ oldPath: "tab\there", newPath: "tab\there", removed: ["1"], added: ["2"] });
    expect(patch["ünï\n.txt"]).toMatchObject({ oldPath: null, added: ["x"] });
    expect(patch["to/moved.txt"]).toMatchObject({ oldPath: "moved.txt", added: ["one more"] });
  });

  it("nothing for equal trees", async () => {
    expect(await bench.mirror.diff(REPOSITORY, bench.base, bench.base, never)).toMatchObject({
      files: [],
      patch: "",
      patchTruncated: false,
    });
  });

  it("a long patch up to its limit, cut after a whole line, with all files still listed", async () => {
    git(bench.work, ["checkout", "--quiet", "-f", "main"]);
    git(bench.work, ["checkout", "--quiet", "-b", "long"]);
    bench.change({ "long.txt": "ä".repeat(99) + "\n" + "é line\n".repeat(300_000), "z.txt": "z\n" });
    const head = await bench.mirror.take(REPOSITORY, bench.bundle("long", "^main"), never);
    const change = await bench.mirror.diff(REPOSITORY, bench.base, head, never);
    expect(change.patchTruncated).toBe(true);
    expect(Buffer.byteLength(change.patch)).toBeLessThanOrEqual(MAX_PATCH_BYTES);
    expect(change.patch.endsWith("+é line\n")).toBe(true);
    expect(change.files.map((file) => file.additions)).toEqual([300_001, 1]);
  });

  it("nothing of what a repository's attributes configure", async () => {
    git(bench.work, ["checkout", "--quiet", "-f", "main"]);
    git(bench.work, ["checkout", "--quiet", "-b", "attributes"]);
    bench.change({ ".gitattributes": "* -diff filter=x diff=y\n", "code.js": "visible\n" });
    const head = await bench.mirror.take(REPOSITORY, bench.bundle("attributes", "^main"), never);
    expect((await bench.mirror.diff(REPOSITORY, bench.base, head, never)).patch).toContain("+visible");
  });
});
