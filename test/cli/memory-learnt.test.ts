import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "citty";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UsageError } from "../../cli/errors.ts";
import command from "../../cli/memory.ts";
import type { Terminal } from "../../cli/terminal.ts";
import type { Lesson, Memory, Resolution } from "../../domain/memory.ts";
import { makeRepository, type TestRepository } from "../memory/repository.ts";
import { cli, type Ended } from "./run-cli.ts";

let folder: string;
let homes = 0;
let source: TestRepository;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mergewright-cli-learnt-"));
  source = makeRepository();
  source.commit("Start", {
    "src/basket.ts": "export function total() { return 0; }\n",
    "src/coupon.ts": "// a coupon\n",
  });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  source.remove();
});

/** `mergewright memory` over a store of its own. */
function newHome() {
  const home = join(folder, `home-${(homes += 1)}`);
  const memory = (...args: string[]): Promise<Ended> =>
    cli(["memory", ...args], { cwd: folder, env: { MERGEWRIGHT_HOME: home } });
  const json = async (...args: string[]): Promise<unknown> => JSON.parse((await memory(...args, "--json")).out);
  return { home, memory, json };
}

/** The command in this process: what it throws before it opens any store. */
async function failing(...args: string[]): Promise<{ home: string; error: unknown; message: string }> {
  const home = join(folder, `home-${(homes += 1)}`);
  const silent = (): void => undefined;
  const terminal: Terminal = {
    env: { MERGEWRIGHT_HOME: home },
    cwd: folder,
    json: false,
    out: silent,
    err: silent,
    document: silent,
    style: (_style, text) => text,
  };
  const run = async (): Promise<number> => command.run(parseArgs(args, command.args), terminal);
  const error: unknown = await run().catch((thrown: unknown) => thrown);
  return { home, error, message: error instanceof Error ? error.message : `it ended with ${String(error)}` };
}

const resolution: Resolution = {
  kind: "resolution",
  id: "resolution-run-4",
  at: "2026-01-04T00:00:00.000Z",
  issue: 4,
  title: "Total of the basket is wrong when a coupon is used",
  problem: 'The coupon is subtracted twice.\nSteps: \u{1f9fa} "add", then pay.',
  category: "bug",
  cause: "It is applied in two places.",
  files: ["src/basket.ts", "src/ünï cödé\n.ts"],
  change: null,
  evidence: null,
  outcome: "merged",
  reason: null,
  pullRequest: 8,
  mergeSha: "b".repeat(40),
  reverted: false,
};
const lesson: Lesson = {
  kind: "lesson",
  id: "lesson-run-4-1",
  at: "2026-01-04T00:00:00.000Z",
  issue: 4,
  text: "A coupon is applied where the total is made.",
  confirmed: true,
  of: resolution.id,
};
const lineOf = (repository: string, memory: Memory): string => `${JSON.stringify({ repository, ...memory })}\n`;

describe("mergewright memory", () => {
  it("keeps what a person says, once, and finds it by its words", async () => {
    const { memory, json } = newHome();
    expect((await memory("list")).out).toBe("Nothing is remembered yet.\n");
    const said = ["remember", "Money is counted in cents.", "--repo", "Acme/Shop", "--issue", "3", "--by", "ada"];
    const stored = (await json(...said)) as Memory;
    expect(stored).toMatchObject({ repository: "acme/shop", kind: "taught", issue: 3, by: "ada" });
    await memory(...said);
    expect(await json("list")).toEqual([{ repository: "acme/shop", memories: 1 }]);
    expect(await json("recall", "how is money counted", "--repo", "acme/shop")).toMatchObject([
      { score: expect.any(Number) as number, memory: { id: stored.id } },
    ]);
    expect(await json("recall", "how is money counted", "--repo", "acme/other")).toEqual([]);
    expect(await json("recall", "french translation", "--repo", "acme/shop", "--threshold", "0.7")).toEqual([]);
    const shown = await memory("list", "--repo", "acme/shop");
    expect(shown.out).toContain("#3 Money is counted in cents. (taught by ada)");
    expect(shown.out).toContain(stored.id);
  });

  it("forgets one memory, those of an issue, or all of a repository with its code, and nothing else", async () => {
    const { memory, json } = newHome();
    writeFileSync(join(folder, "four.jsonl"), lineOf("acme/shop", resolution) + lineOf("acme/shop", lesson));
    await memory("import", "four.jsonl");
    const { id } = (await json("remember", "Prefer small commits.", "--repo", "acme/shop")) as Memory;
    await memory("remember", "Prefer small commits.", "--repo", "acme/other", "--issue", "4");

    expect(await json("forget", "--id", lesson.id)).toEqual({
      forgotten: [{ repository: "acme/shop", ids: [lesson.id] }],
    });
    const again = await memory("forget", "--id", lesson.id);
    expect([again.code, again.err]).toEqual([1, expect.stringContaining(`There is no memory ${lesson.id}`)]);
    expect(await json("forget", "--repo", "acme/shop", "--issue", "4")).toEqual({
      forgotten: [{ repository: "acme/shop", ids: [resolution.id] }],
    });
    expect(await json("list", "--repo", "acme/shop")).toMatchObject([{ id }]);
    expect(await json("forget", "--repo", "acme/shop")).toEqual({
      forgotten: [{ repository: "acme/shop", ids: [id] }],
    });
    expect(await json("list")).toEqual([{ repository: "acme/other", memories: 1 }]);
    expect((await memory("forget", "--repo", "acme/shop")).out).toBe("Nothing was remembered of it.\n");
  });

  it("exports to lines that another store takes in, and gives out again the same", async () => {
    const [one, other] = [newHome(), newHome()];
    writeFileSync(join(folder, "all.jsonl"), lineOf("acme/shop", lesson) + lineOf("acme/shop", resolution));
    expect(await one.json("import", "all.jsonl")).toEqual({ imported: [{ repository: "acme/shop", memories: 2 }] });
    await one.memory("remember", 'Quotes " and\nbreaks \u2028 stay.', "--repo", "Beta/Tools", "--by", "ada");
    const { out } = await one.memory("export");
    expect(out.trim().split("\n")).toHaveLength(3);
    writeFileSync(join(folder, "exported.jsonl"), out);
    await other.memory("import", "exported.jsonl");
    await other.memory("import", "exported.jsonl");
    expect((await other.memory("export")).out).toBe(out);
    expect(out).toContain(lineOf("acme/shop", resolution));
    const part = (await other.memory("export", "--repo", "beta/tools")).out;
    expect(part.trim().split("\n")).toHaveLength(1);
  });

  it.each([
    ["no JSON", "junk", "Line 2 is not JSON"],
    ["no repository", JSON.stringify(resolution), 'Line 2 has no "repository" of the form OWNER/NAME.'],
    ["a folder as repository", lineOf("../etc", resolution), 'Line 2 has no "repository"'],
    [
      "a kind that is none",
      JSON.stringify({ repository: "a/b", ...resolution, kind: "dream" }),
      "Line 2 is no memory: kind",
    ],
    [
      "a field that is missing",
      JSON.stringify({ repository: "a/b", ...lesson, text: undefined }),
      "Line 2 is no memory: text",
    ],
    ["a field too many", JSON.stringify({ repository: "a/b", ...lesson, mood: "good" }), "mood"],
    ["a number as text", JSON.stringify({ repository: "a/b", ...lesson, text: 5 }), "Line 2 is no memory: text"],
  ])("takes nothing in from a file with %s, and tells the line", async (_what, line, expected) => {
    writeFileSync(join(folder, "bad.jsonl"), `${lineOf("acme/shop", lesson)}${line}\n`);
    const { home, message } = await failing("import", "bad.jsonl");
    expect(message).toContain(expected);
    expect(message).toContain("Nothing of bad.jsonl was imported");
    expect(existsSync(home)).toBe(false);
  });

  it.each<[string[], string]>([
    [["list", "--kind", "dream", "--repo", "a/b"], "--kind takes resolution, workflow, lesson, taught"],
    [["list", "--limit", "3"], "--limit means nothing to memory list"],
    [["list", "more"], "memory list takes no further word"],
    [["index", ".", "--repo", "a/b"], "--repo means nothing to memory index"],
    [["recall", "--repo", "a/b"], "QUERY is missing"],
    [["recall", "total", "--repo", "a/b", "--threshold", "7"], "--threshold takes a number from 0 to 1"],
    [["remember", " ", "--repo", "a/b"], "TEXT is missing"],
    [["remember", "x".repeat(4_001), "--repo", "a/b"], "4001 characters"],
    [
      ["remember", "text", "--repo", "a/b", "--by", "x".repeat(101)],
      "--by takes a name of 1 to 100 characters, not 101",
    ],
    [["remember", "text", "--repo", "a/b", "--by", " "], "--by takes a name"],
    [["remember", "text"], "--repo is missing"],
    [["remember", "text", "--repo", "a/b", "--issue", "one"], "--issue takes an issue's number"],
    [["forget"], "Say what to forget"],
    [["forget", "--repo", "/tmp"], "is not a repository"],
    [["import"], "FILE is missing"],
    [["snapshot"], "FILE is missing"],
    [["dream"], "There is no"],
  ])("says what is wrong with the arguments (%#)", async (args, expected) => {
    const { home, error, message } = await failing(...args);
    expect(message).toContain(expected);
    expect(error).toBeInstanceOf(UsageError);
    expect(existsSync(home)).toBe(false);
  });
});

describe("mergewright memory snapshot", () => {
  it("copies all of the store while others write into it, and the copy serves in its place", async () => {
    const { memory, json } = newHome();
    await memory("index", source.folder);
    await memory("remember", "Money is counted in cents.", "--repo", "acme/shop");
    const before = (await memory("export")).out;
    const hits = await json("search", "coupon total", "--repo", source.folder);

    const many = Array.from({ length: 400 }, (_, at) => lineOf("acme/busy", { ...lesson, id: `lesson-${at}` }));
    writeFileSync(join(folder, "many.jsonl"), many.join(""));
    const writing = memory("import", "many.jsonl");
    const copy = join(folder, "copies", "memory.db");
    expect(await json("snapshot", copy)).toEqual({ snapshot: copy, bytes: expect.any(Number) as number });
    expect((await writing).code).toBe(0);
    expect(readdirSync(join(folder, "copies"))).toEqual(["memory.db"]);
    // A file of its own: what was still in the journal beside the store is in it.
    expect(readFileSync(copy).subarray(0, 15).toString("latin1")).toBe("SQLite format 3");

    const restored = newHome();
    mkdirSync(join(restored.home, "memory"), { recursive: true });
    copyFileSync(copy, join(restored.home, "memory", "memory.db"));
    expect((await restored.memory("export", "--repo", "acme/shop")).out).toBe(before);
    expect(await restored.json("search", "coupon total", "--repo", source.folder)).toEqual(hits);
    const busy = (await restored.json("list", "--repo", "acme/busy")) as Memory[];
    expect([0, 400]).toContain(busy.length);
    expect((await restored.memory("remember", "And it can be written to.", "--repo", "acme/shop")).code).toBe(0);
  });

  it("says that no folder can be made below a file", async () => {
    const { memory } = newHome();
    await memory("remember", "Cents.", "--repo", "acme/shop");
    writeFileSync(join(folder, "a-file"), "");
    for (const target of ["a-file/copy.db", "a-file/deeper/copy.db"]) {
      const ended = await memory("snapshot", target);
      expect([ended.code, ended.err]).toEqual([1, expect.stringContaining("no folder")]);
      expect(ended.err).not.toContain("    at ");
    }
  });

  it("writes over nothing, makes no store, and leaves Qdrant's to Qdrant", async () => {
    const { home, memory } = newHome();
    const target = join(folder, "taken.db");
    expect((await memory("snapshot", target)).err).toContain("There is no memory yet");
    expect(existsSync(home)).toBe(false);
    await memory("remember", "Something.", "--repo", "acme/shop");
    writeFileSync(target, "mine");
    const taken = await memory("snapshot", target);
    expect([taken.code, taken.err]).toEqual([1, expect.stringContaining("exists already")]);
    expect(readFileSync(target, "utf8")).toBe("mine");
    const env = { MERGEWRIGHT_HOME: home, QDRANT_URL: "http://127.0.0.1:6333" };
    const elsewhere = await cli(["memory", "snapshot", join(folder, "q.db")], { cwd: folder, env });
    expect([elsewhere.code, elsewhere.err]).toEqual([1, expect.stringContaining("docs/operating.md")]);
  });
});
