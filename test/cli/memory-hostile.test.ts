import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NotFound, ServiceUnavailable } from "../../domain/errors.ts";
import { checkArguments } from "../../cli/check-arguments.ts";
import memory from "../../cli/memory.ts";
import { readBatch } from "../../cli/memory/batch.ts";
import { openLocalMemory } from "../../cli/memory/open.ts";
import { openEmbeddedStore } from "../../memory/store/embedded.ts";
import { makeRepository, type TestRepository } from "../memory/repository.ts";

const { signal } = new AbortController();
let folder: string;
const repositories: TestRepository[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mergewright-hostile-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const repository of repositories) repository.remove();
});

function repository(): TestRepository {
  const made = makeRepository();
  repositories.push(made);
  return made;
}

async function inMemoryOf<T>(
  of: string,
  use: (memory: Awaited<ReturnType<typeof openLocalMemory>>) => Promise<T>,
): Promise<T> {
  const config = { home: folder, file: join(folder, "memory.db"), qdrant: null, embeddings: null };
  const opened = await openLocalMemory(config, process.env, folder, of);
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

describe("mergewright memory meets", () => {
  const names = ['it\'s "q".py', "new\nline.py", "ta\tb.py", "sub dir/ünï/日本.py", "--option.py", "$(touch x).py"];

  it("paths of any characters, and a query of any characters", async () => {
    const { folder: of, commit } = repository();
    commit("Names", Object.fromEntries(names.map((name, at) => [name, `def function_number_${at}x():\n    pass\n`])));
    await inMemoryOf(of, async (opened) => {
      await opened.index("HEAD", { signal });
      for (const [at, name] of names.entries()) {
        const [best] = await opened.search(`function_number_${at}x`, { limit: 1, signal });
        expect(best?.path).toBe(name);
      }
      for (const query of ["", "   ", "!!!", "\0\u{1f600}", "((((".repeat(10_000), "a".repeat(1_000_000), "\ud800"])
        expect(Array.isArray(await opened.search(query, { limit: 5, signal }))).toBe(true);
    });
  });

  it("a folder below the top one, a second work tree, a bare and a shallow clone, a submodule", async () => {
    const { folder: of, git, commit } = repository();
    commit("Start", { "src/deep/parser.py": "def parse_header(line):\n    return line\n" });
    commit("Next", { "src/writer.py": "def write_body(text):\n    return text\n" });
    git("worktree", "add", "-q", join(folder, "second"), "-b", "second");
    git("clone", "-q", "--bare", of, join(folder, "bare.git"));
    git("clone", "-q", "--depth", "1", `file://${of}`, join(folder, "shallow"));
    const outer = repository();
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", of, "inner");
    outer.commit("Outer", { "outer.py": "def outside():\n    pass\n" });
    const places = [join(of, "src", "deep"), join(folder, "second"), join(folder, "bare.git"), join(folder, "shallow")];
    for (const place of [...places, join(outer.folder, "inner")])
      await inMemoryOf(place, async (opened) => {
        expect((await opened.index("HEAD", { signal })).files).toBe(2);
        expect((await opened.search("parse_header", { limit: 1, signal }))[0]?.path).toBe("src/deep/parser.py");
      });
    // A submodule's files are those of another repository.
    await inMemoryOf(outer.folder, async (opened) => {
      await opened.index("HEAD", { signal });
      expect(await opened.search("parse_header", { limit: 5, signal })).toEqual([]);
    });
  });

  it("a repository without commits, without files, and one that lacks objects", async () => {
    const { folder: of, commit } = repository();
    await inMemoryOf(of, async (opened) => {
      await expect(opened.index("HEAD", { signal })).rejects.toThrow('has no commit "HEAD"');
      commit("Nothing", {});
      expect((await opened.index("HEAD", { signal })).files).toBe(0);
      expect(await opened.search("anything", { limit: 5, signal })).toEqual([]);
      const head = commit("Something", { "a/b.py": "x = 1\n" });
      const objects = join(of, ".git", "objects");
      for (const name of readdirSync(objects))
        if (name !== head.slice(0, 2)) rmSync(join(objects, name), { recursive: true });
      mkdirSync(join(objects, "pack"));
      await expect(opened.index("HEAD", { signal })).rejects.toThrow(NotFound);
      await expect(opened.index("HEAD", { signal })).rejects.toThrow("git fsck");
    });
  });

  it("a store that is none", () => {
    const file = join(folder, "none.db");
    writeFileSync(file, "this is no database at all, but it is long enough to be taken for one");
    expect(() => openEmbeddedStore(file)).toThrow(ServiceUnavailable);
    expect(() => openEmbeddedStore(file)).toThrow(`The memory ${file} is damaged.`);
    expect(() => openEmbeddedStore(join(file, "below"))).toThrow("MERGEWRIGHT_HOME");
  });

  it("questions with a byte order mark and Windows' line ends, and takes `-` for standard input", () => {
    writeFileSync(join(folder, "windows.jsonl"), '\ufeff{"id": 1, "query": "a"}\r\n{"id": "b", "query": ""}\r\n');
    expect(readBatch("windows.jsonl", folder)).toEqual([
      { id: 1, query: "a" },
      { id: "b", query: "" },
    ]);
    expect(() => checkArguments(["search", "--batch", "-"], memory.args, "memory")).not.toThrow();
  });
});
