import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseFlags } from "../../bench/arguments.ts";
import { measured } from "../../bench/statistics.ts";

const flags = {
  runs: { kind: "count", default: 2 },
  "at-once": { kind: "count", default: null },
  turns: { kind: "count", default: 50, atLeast: 2 },
  homes: { kind: "choice", choices: ["shared", "own"], default: "shared" },
  json: { kind: "switch" },
} as const;

describe("the words of a benchmark", () => {
  it.each<[string[], object]>([
    [[], { runs: 2, "at-once": null, turns: 50, homes: "shared", json: false }],
    [
      ["--runs", "3", "--at-once=4", "--turns", "2", "--homes", "own", "--json"],
      { runs: 3, "at-once": 4, turns: 2, homes: "own", json: true },
    ],
  ])("%j are read", (args, values) => {
    expect(parseFlags(args, flags)).toEqual({ values });
  });

  it.each<[string[], RegExp]>([
    [["--bogus"], /--bogus/],
    [["foo"], /foo/],
    [["--runs"], /--runs/],
    [["--json=yes"], /--json/],
    [["--runs", "abc"], /^--runs abc: a whole number from 1 on\.$/],
    [["--runs", "0"], /from 1 on/],
    [["--runs", "1.5"], /from 1 on/],
    [["--runs="], /from 1 on/],
    [["--turns", "1"], /from 2 on/],
    [["--at-once", "many"], /^--at-once many: a whole number/],
    [["--homes", "banana"], /^--homes banana: one of shared, own\.$/],
  ])("%j are refused", (args, wrong) => {
    expect(parseFlags(args, flags)).toEqual({ wrong: expect.stringMatching(wrong) as string });
  });
});

describe("a benchmark of repositories", () => {
  const ofFolders = { folders: { kind: "folders" }, json: { kind: "switch" } } as const;

  it.each<[string[], object]>([
    [["--json"], { folders: ["."], json: true }],
    [["one", "--json", "two"], { folders: ["one", "two"], json: true }],
  ])("%j names the folders", (args, values) => {
    expect(parseFlags(args, ofFolders)).toEqual({ values });
  });

  it.each([
    [["--help"], 0, /^Usage: /],
    [["--bogus"], 2, /^Unknown option '--bogus'.*\nUsage: /],
    [["--fixes", "many"], 2, /^--fixes many: a whole number/],
    [["/no/such/folder"], 2, /^There is no folder \/no\/such\/folder\.\n$/],
  ])("%j ends with code %i and no stack trace", (args, code, told) => {
    const program = fileURLToPath(new URL("../../bench/memory.ts", import.meta.url));
    const ended = spawnSync(process.execPath, ["--import", "tsx", program, ...args], { encoding: "utf8" });
    expect(ended.status).toBe(code);
    expect(code === 0 ? ended.stdout : ended.stderr).toMatch(told);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
  });
});

it("a benchmark without a single measurement has failed", () => {
  expect(measured("turns", [1])).toEqual([1]);
  expect(() => measured("no turn was taken", [])).toThrow("measured nothing: no turn was taken");
});
