import { describe, expect, it } from "vitest";
import { chooseRows, scoreOf, scoreText, testNamePattern } from "../../scripts/faults/score.mjs";
import { rows } from "../faults/rows.ts";

const ids = ["A1", "A2", "A10", "B1"];
const file = "test/faults/x.test.ts";
const test = (title: string, state: "passed" | "failed" | "skipped", reason: string | null = null) => ({
  title,
  file,
  state,
  reason,
});

describe("the rows of the fault score", () => {
  it("are 20 of group A, 16 of B, 12 of C, 13 of D and 11 of E", () => {
    const counts: Record<string, number> = {};
    for (const { id } of rows) counts[id[0]!] = (counts[id[0]!] ?? 0) + 1;
    expect(counts).toEqual({ A: 20, B: 16, C: 12, D: 13, E: 11 });
  });

  it.each([
    [[], ids, []],
    [["A"], ["A1", "A2", "A10"], []],
    [["b", "a2"], ["A2", "B1"], []],
    [["A2", "A2", "A"], ["A1", "A2", "A10"], []],
    [["A3", "F", "B1"], ["B1"], ["A3", "F"]],
  ])("chosen by %j are %j, and %j is unknown", (words, chosen, unknown) => {
    expect(chooseRows(ids, words)).toEqual({ chosen, unknown });
  });

  it.each([
    ["A1: a title", true],
    ["a group A1: a title", true],
    ["A10: a title", false],
    ["A1 a title", false],
    ["B1: a title", false],
    ["BA1: a title", false],
  ])("A1 runs the test %j: %s", (name, runs) => {
    expect(new RegExp(testNamePattern(["A1", "C2"])).test(name)).toBe(runs);
  });

  it.each([
    ["passes when its test passes", [test("A1: x", "passed")], [], null],
    ["passes when one of its tests is skipped", [test("A1: x", "passed"), test("A1: y", "skipped")], [], null],
    [
      "fails when one of its tests fails",
      [test("A1: x", "passed"), test("A1: y", "failed", "expected 1")],
      [],
      '"A1: y" failed: expected 1',
    ],
    ["fails without a test", [test("A10: x", "passed")], [], "no test has this id."],
    [
      "fails when its tests are skipped",
      [test("A1: x", "skipped", "no Docker engine")],
      [],
      "skipped: no Docker engine.",
    ],
    [
      "tells of a file that cannot be loaded",
      [],
      ["x.test.ts: no such module"],
      "no test has this id. Errors of this run: x.test.ts: no such module",
    ],
  ])("a row %s", (_what, tests, errors, reason) => {
    expect(scoreOf(["A1"], { tests, errors })).toEqual({
      groups: { A: { passed: reason === null ? 1 : 0, total: 1 } },
      failures: reason === null ? [] : [{ id: "A1", reason }],
    });
  });

  it("are counted by group, and those that do not pass are named below", () => {
    const tests = [test("A1: x", "passed"), test("A2: x", "failed", "no"), test("B1: x", "passed")];
    expect(scoreText(scoreOf(ids, { tests, errors: [] }))).toBe(
      'A 1 / 3\nB 1 / 1\nA2: "A2: x" failed: no\nA10: no test has this id.',
    );
  });
});
