import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UnacceptableObjects } from "../../domain/errors.ts";
import { createBench, git, gitBytes, never, REPOSITORY, type Bench } from "./support.ts";

let bench: Bench;
let gitDir: string;
beforeAll(async () => {
  bench = await createBench();
  gitDir = join(bench.root, "mirrors-1", "acme", "widgets.git");
});
afterAll(() => bench.end());

const refs = () => git(gitDir, ["--git-dir=.", "for-each-ref", "--format=%(refname)"]).split("\n").sort();
const packs = () => readdirSync(join(gitDir, "objects", "pack")).sort();

/** Writes an object as it is, without git's own checks. */
const raw = (type: string, content: Buffer) =>
  git(bench.work, ["hash-object", "-t", type, "-w", "--stdin", "--literally"], content);
const tree = (...entries: [mode: string, name: string, object: string][]) =>
  raw(
    "tree",
    Buffer.concat(
      entries.flatMap(([mode, name, object]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(object, "hex")]),
    ),
  );
const blob = (content: string) => raw("blob", Buffer.from(content));
let made = 0;
/** A bundle whose tip has this tree, on top of the base. */
function bundleOf(treeId: string): Buffer {
  const commit = git(bench.work, ["commit-tree", "-p", bench.base, "-m", "x", treeId]);
  const branch = `hostile-${++made}`;
  git(bench.work, ["update-ref", `refs/heads/${branch}`, commit]);
  return bench.bundle(branch, `^${bench.base}`);
}

describe("a sandbox's bundle", () => {
  it("comes in step by step, each on top of the one before, on every machine", async () => {
    git(bench.work, ["checkout", "--quiet", "-b", "steps"]);
    const one = bench.change({ "src/a.js": "a\n" });
    const first = bench.bundle("steps", "^main");
    const two = bench.change({ "src/b.js": "b\n", "src/a.js": null });
    const second = bench.bundle("steps", `^${one}`);
    const elsewhere = bench.another();
    await elsewhere.fetch(REPOSITORY, bench.cloneUrl, "main", never);
    await expect(elsewhere.take(REPOSITORY, second, never)).rejects.toThrow(/take the earlier bundles first/);
    for (const mirror of [bench.mirror, elsewhere]) {
      expect(await mirror.take(REPOSITORY, first, never)).toBe(one);
      expect(await mirror.take(REPOSITORY, second, never)).toBe(two);
      expect(await mirror.take(REPOSITORY, second, never)).toBe(two);
      expect(await mirror.paths(REPOSITORY, two, never)).toContain("src/b.js");
    }
    git(gitDir, ["--git-dir=.", "gc", "--quiet", "--prune=now"]);
    expect(await bench.mirror.paths(REPOSITORY, two, never)).toContain("src/b.js");
  });

  it("may be complete, and may carry links and submodules for the policy to judge", async () => {
    expect(await bench.mirror.take(REPOSITORY, bench.bundle("steps"), never)).toMatch(/^[0-9a-f]{40}$/);
    const head = await bench.mirror.take(
      REPOSITORY,
      bundleOf(tree(["120000", "link", blob("/etc/passwd")], ["160000", "sub", "1".repeat(40)])),
      never,
    );
    const { files } = await bench.mirror.diff(REPOSITORY, bench.base, head, never);
    expect(files.filter((file) => file.status === "added").map(({ path, newMode }) => `${newMode} ${path}`)).toEqual([
      "120000 link",
      "160000 sub",
    ]);
  });

  const inside = () => tree(["100644", "config", blob("[core]\n\tsshCommand = touch pwned\n")]);
  it.each([
    [".git", () => tree(["40000", ".git", inside()])],
    [".GIT", () => tree(["40000", ".GIT", inside()])],
    ["git~1", () => tree(["40000", "git~1", inside()])],
    [".git with a trailing space", () => tree(["40000", ".git ", inside()])],
    [".git with a trailing dot", () => tree(["40000", ".git.", inside()])],
    [".git with an NTFS stream", () => tree(["40000", ".git::$INDEX_ALLOCATION", inside()])],
    [".git with an invisible character", () => tree(["40000", ".g\u200cit", inside()])],
    ["..", () => tree(["40000", "..", inside()])],
    [".", () => tree(["40000", ".", inside()])],
    ["a path in one name", () => tree(["100644", "../../etc/cron.d/x", blob("x")])],
    [".git deep inside", () => tree(["40000", "a", tree(["40000", ".git", inside()])])],
    ["the same name twice", () => tree(["100644", "a", blob("x")], ["100644", "a", blob("y")])],
    ["entries out of order", () => tree(["100644", "b", blob("x")], ["100644", "a", blob("y")])],
    ["an odd mode", () => tree(["100666", "a", blob("x")])],
    [
      "a submodule name that runs a command",
      () => tree(["100644", ".gitmodules", blob('[submodule "../../x"]\n\tpath = a\n\turl = -u./payload\n')]),
    ],
    [".gitmodules as a link", () => tree(["120000", ".gitmodules", blob("/etc/passwd")])],
  ])("is refused when a tree holds %s", async (_, make) => {
    const before = [refs(), packs()];
    await expect(bench.mirror.take(REPOSITORY, bundleOf(make()), never)).rejects.toThrow(UnacceptableObjects);
    expect([refs(), packs()]).toEqual(before);
  });

  it("is refused with the reason when its form is wrong", async () => {
    const good = bench.bundle("steps", "^main");
    const text = (content: string) => Buffer.from(content);
    git(bench.work, ["tag", "-a", "-m", "t", "atag", "steps"]);
    const cases: [string, Buffer, RegExp][] = [
      ["nothing", Buffer.alloc(0), /cut off/],
      ["no bundle", Buffer.from("hello\n\n"), /signature/],
      ["two refs", bench.bundle("steps", "main"), /2 refs/],
      ["a tag", bench.bundle("atag"), /tag.*must name a commit/],
      ["cut in the pack", good.subarray(0, good.length - 30), /refused/],
      [
        "a flipped byte",
        Buffer.concat([good.subarray(0, -40), Buffer.from([good.at(-40)! ^ 0xff]), good.subarray(-39)]),
        /refused/,
      ],
      ["no pack", text(`# v2 git bundle\n${bench.base} refs/heads/x\n\n`), /no pack/],
      ["an endless head", Buffer.concat([text("# v2 git bundle\n"), Buffer.alloc(400_000, "a")]), /does not end/],
      [
        "a filter",
        text(`# v3 git bundle\n@filter=blob:none\n${bench.base} refs/heads/x\n\nPACK${"0".repeat(60)}`),
        /@filter/,
      ],
      [
        "an option as ref",
        text(`# v2 git bundle\n--upload-pack=x refs/heads/x\n\nPACK${"0".repeat(60)}`),
        /no line of a bundle/,
      ],
      [
        "four thousand million objects",
        text(`# v2 git bundle\n${bench.base} refs/heads/x\n\nPACK\0\0\0\x02\x7f\x7f\x7f\x7f${"0".repeat(60)}`),
        /objects/,
      ],
    ];
    for (const [name, bundle, reason] of cases) {
      await expect(bench.mirror.take(REPOSITORY, bundle, never), name).rejects.toThrow(UnacceptableObjects);
      await expect(bench.mirror.take(REPOSITORY, bundle, never), name).rejects.toThrow(reason);
    }
  });

  it("is refused when objects are missing that its commit needs", async () => {
    const commit = git(bench.work, [
      "commit-tree",
      "-p",
      bench.base,
      "-m",
      "x",
      tree(["100644", "gone", "2".repeat(40)]),
    ]);
    const pack = gitBytes(
      bench.work,
      ["pack-objects", "--stdout", "-q"],
      `${commit}\n${git(bench.work, ["rev-parse", `${commit}^{tree}`])}\n`,
    );
    const head = `# v2 git bundle\n-${bench.base} \n${commit} refs/heads/x\n\n`;
    await expect(bench.mirror.take(REPOSITORY, Buffer.concat([Buffer.from(head), pack]), never)).rejects.toThrow(
      UnacceptableObjects,
    );
  });

  it("is refused, without filling the memory, when a few bytes unfold to gigabytes", async () => {
    const bomb = execFileSync("python3", ["-c", DELTA_BOMB, bench.base], {
      maxBuffer: 8 * 1024 * 1024,
      env: { PATH: process.env["PATH"] },
    });
    expect(bomb.length).toBeLessThan(100_000);
    await expect(bench.mirror.take(REPOSITORY, bomb, never)).rejects.toThrow(UnacceptableObjects);
  });

  it("is refused when its tree lists ten thousand million files", async () => {
    const ten = (mode: string, object: string) =>
      tree(...Array.from({ length: 10 }, (_, index): [string, string, string] => [mode, `d${index}`, object]));
    let folder = ten("100644", blob("x"));
    for (let level = 0; level < 9; level++) folder = ten("40000", folder);
    await expect(bench.mirror.take(REPOSITORY, bundleOf(folder), never)).rejects.toThrow(/bytes of paths/);
  });

  it("leaves nothing of itself when it is refused", () => {
    expect(readdirSync(join(gitDir, "mergewright"))).toEqual(["lock"]);
    expect(readdirSync(join(gitDir, "objects", "pack")).filter((name) => name.startsWith("tmp"))).toEqual([]);
  });
});

/** A blob of 64 kB, and a delta on it that copies it 60,000 times: 4 GB out of 500 kB, which zlib makes 2 kB of. */
const DELTA_BOMB = `
import sys, zlib, struct, hashlib
def size(n):
    out = bytearray()
    while True:
        b = n & 0x7f; n >>= 7
        out.append(b | (0x80 if n else 0))
        if not n: return bytes(out)
def entry(kind, data, ofs=None):
    n = len(data); first = (kind << 4) | (n & 15); n >>= 4
    out = bytearray()
    while n: out.append(first | 0x80); first = n & 0x7f; n >>= 7
    out.append(first)
    if ofs is not None:
        e = [ofs & 0x7f]; ofs >>= 7
        while ofs: ofs -= 1; e.insert(0, 0x80 | (ofs & 0x7f)); ofs >>= 7
        out += bytes(e)
    return bytes(out) + zlib.compress(data, 9)
base = b"x" * 0xffff
times = 60000
delta = size(len(base)) + size(len(base) * times) + (b"\\xb0\\xff\\xff") * times
one = entry(3, base)
pack = b"PACK" + struct.pack(">II", 2, 2) + one + entry(6, delta, len(one))
pack += hashlib.sha1(pack).digest()
sys.stdout.buffer.write(b"# v2 git bundle\\n-" + sys.argv[1].encode() + b" \\n" + sys.argv[1].encode() + b" refs/heads/x\\n\\n" + pack)
`;
