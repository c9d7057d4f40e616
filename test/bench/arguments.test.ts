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

it("a benchmark without a single measurement has failed", () => {
  expect(measured("turns", [1])).toEqual([1]);
  expect(() => measured("no turn was taken", [])).toThrow("measured nothing: no turn was taken");
});
