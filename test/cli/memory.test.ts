import { mkdtempSync, rmSync, writeFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeRepository, type TestRepository } from "../memory/repository.ts";
import { cli } from "./run-cli.ts";

let home: string;
let repository: TestRepository;
let first: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "mergewright-cli-memory-"));
  repository = makeRepository();
  first = repository.commit("Start", { "src/parser.py": "def parse_header(line):\n    return line.split(':')\n" });
  repository.commit("Writer", { "src/writer.py": "def write_body(text):\n    return text\n" });
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
  repository.remove();
});

const memory = (...args: string[]) => cli(["memory", ...args], { cwd: home });

describe("mergewright memory", () => {
  it("says that a repository has to be indexed before it can be searched", async () => {
    const { code, out } = await memory("search", "header", "--repo", repository.folder, "--json");
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      error: { code: "not-found", message: expect.stringContaining("memory index") as string },
    });
  });

  it("indexes a commit and answers with one result a file, best first", async () => {
    const indexed = await memory("index", repository.folder, "--commit", first, "--json");
    expect(indexed.code).toBe(0);
    expect(JSON.parse(indexed.out)).toMatchObject({
      commit: first,
      files: 1,
      changed: 1,
      unchanged: false,
      store: "embedded",
    });
    await memory("index", repository.folder);
    const { code, out } = await memory(
      "search",
      "parse_header breaks on an empty header",
      "--repo",
      repository.folder,
      "--limit",
      "20",
      "--json",
    );
    expect(code).toBe(0);
    const results = JSON.parse(out) as { path: string }[];
    expect(results[0]).toEqual({
      path: "src/parser.py",
      score: expect.any(Number) as number,
      lines: [1, 2],
      why: expect.arrayContaining([expect.any(String)]) as string[],
    });
    expect(new Set(results.map(({ path }) => path)).size).toBe(results.length);
  });

  it("explains each signal's part when asked", async () => {
    const { out } = await memory("search", "parse_header", "--repo", repository.folder, "--json", "--explain");
    const [best] = JSON.parse(out) as { score: number; parts: { signal: string; points: number }[] }[];
    expect(best!.parts.map(({ signal }) => signal)).toContain("symbols");
    expect((await memory("search", "parse_header", "--repo", repository.folder, "--explain")).out).toContain("symbols");
  });

  it("answers a file of questions with a line for each, in their order", async () => {
    writeFileSync(
      join(home, "questions.jsonl"),
      `{"id": "a", "query": "write the body"}\n\n{"id": 2, "query": "parse_header"}\n`,
    );
    const { code, out } = await memory(
      "search",
      "--batch",
      "questions.jsonl",
      "--repo",
      repository.folder,
      "--limit",
      "1",
    );
    expect(code).toBe(0);
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: unknown; results: { path: string }[] });
    expect(lines.map(({ id, results }) => [id, results.map(({ path }) => path)])).toEqual([
      ["a", ["src/writer.py"]],
      [2, ["src/parser.py"]],
    ]);
  });

  it("takes a query that begins with a dash, as lists in issues do", async () => {
    const asked = ["--repo", repository.folder, "--json"];
    const { code, out } = await memory("search", "- parse_header fails", ...asked);
    expect([code, JSON.parse(out)]).toEqual([
      0,
      JSON.parse((await memory("search", ...asked, "parse_header fails")).out),
    ]);
  });

  it("says on standard error that it indexed and searched without embeddings, once, and gives the answer all the same", async () => {
    const env = { EMBEDDINGS_URL: "http://127.0.0.1:9/v1", EMBEDDINGS_MODEL: "away" };
    const without = (...args: string[]) => cli(["memory", ...args], { cwd: home, env });
    const indexed = await without("index", repository.folder, "--json");
    expect([indexed.code, indexed.err]).toEqual([0, expect.stringContaining("Indexed without all embeddings")]);
    const batch = join(home, "embeddings.jsonl");
    writeFileSync(batch, `${[1, 2].map((id) => JSON.stringify({ id, query: "parse_header" })).join("\n")}\n`);
    const { code, out, err } = await without("search", "--batch", batch, "--repo", repository.folder, "--json");
    expect([code, err.match(/by words alone, without embeddings/g)]).toEqual([
      0,
      expect.objectContaining({ length: 1 }),
    ]);
    for (const line of out.trim().split("\n"))
      expect(JSON.parse(line)).toMatchObject({ results: [{ path: "src/parser.py" }] });
    await memory("index", repository.folder);
  });

  it("forgets a repository", async () => {
    expect((await memory("remove", repository.folder)).code).toBe(0);
    expect((await memory("search", "header", "--repo", repository.folder)).code).toBe(1);
  });

  it("names the folders that are indexed, and forgets one that is gone", async () => {
    const gone = makeRepository();
    gone.commit("Start", { "src/a.py": "def a():\n    return 1\n" });
    await memory("index", gone.folder);
    const folder = realpathSync(gone.folder);
    const named = (there: boolean): object[] => [{ folder, files: 1, there }];
    expect(JSON.parse((await memory("list", "--folders", "--json")).out)).toEqual(named(true));
    gone.remove();
    expect(JSON.parse((await memory("list", "--folders", "--json")).out)).toEqual(named(false));
    expect((await memory("list", "--folders")).out).toBe(`${folder}: 1 file, the folder is gone\n`);
    expect((await memory("remove", gone.folder)).out).toBe(`${folder} is forgotten.\n`);
    expect((await memory("list", "--folders")).out).toBe("No folder is indexed.\n");
    const again = await memory("remove", gone.folder);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining("memory list --folders")]);
  });

  it.each([
    [["find", "x"], /index, search, remove, list/],
    [["index"], /DIR is missing/],
    [["search", "x"], /--repo is missing/],
    [["search", "--repo", "."], /QUERY, or --batch/],
    [["search", "x", "--repo", ".", "--limit", "none"], /--limit takes a number/],
  ])("refuses %j with what to write instead", async (args, message) => {
    const { code, err } = await memory(...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  it("says what is wrong with a folder, a commit or a file of questions", async () => {
    expect((await memory("index", "/nowhere/at/all")).err).toContain("no folder");
    expect((await memory("index", repository.folder, "--commit", "nonsense")).err).toContain("nonsense");
    writeFileSync(join(home, "broken.jsonl"), `{"id": 1}\n`);
    expect((await memory("search", "--batch", "broken.jsonl", "--repo", repository.folder)).err).toContain(
      "broken.jsonl:1",
    );
  });
});
