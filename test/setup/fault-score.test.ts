import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { chooseRows, idsIn, scoreOf, scoreText, testNamePattern } from "../../scripts/faults/score.mjs";
import { rows } from "../faults/rows.ts";

const ids = ["A1", "A2", "A10", "B1"];
const file = "test/faults/x.test.ts";
const test = (title: string, state: "passed" | "failed" | "skipped", reason: string | null = null) => ({
  title,
  file,
  state,
  reason,
});

type Case = [
  what: string,
  tests: ReturnType<typeof test>[],
  fileErrors: { file: string; reason: string }[],
  reason: string | null,
  idsOfFiles?: Record<string, string[]>,
];

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
    [["A1-A2", "b"], ["A1", "A2", "B1"], []],
    [["a2-10"], ["A2", "A10"], []],
    [["A10,B1"], ["A10", "B1"], []],
    [["A3-A9", "A1-B1", "A2-"], [], ["A3-A9", "A1-B1", "A2-"]],
    [["A1,"], ["A1"], [""]],
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

  it.each<Case>([
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
      "fails with a hook of its file, though its tests passed",
      [test("A1: x", "passed")],
      [{ file, reason: "a secret in the log" }],
      `${file}: a secret in the log`,
    ],
    ["passes when a hook of another file fails", [test("A1: x", "passed")], [{ file: "other", reason: "no" }], null],
    [
      "fails when one of its files cannot be loaded, though its tests in another passed",
      [test("A1: x", "passed")],
      [{ file: "also.test.ts", reason: "no such module" }],
      "also.test.ts: no such module; also.test.ts told of none of its tests of this row",
      { [file]: ["A1"], "also.test.ts": ["A1", "A2"], "none.test.ts": ["A2"] },
    ],
    [
      "fails when one of its files was not run",
      [test("A1: x", "passed")],
      [],
      "also.test.ts told of none of its tests of this row",
      { "also.test.ts": ["A1"] },
    ],
  ])("a row %s", (_what, tests, fileErrors, reason, idsOfFiles = {}) => {
    expect(scoreOf(["A1"], { tests, fileErrors, errors: [] }, idsOfFiles)).toEqual({
      groups: { A: { passed: reason === null ? 1 : 0, total: 1 } },
      failures: reason === null ? [] : [{ id: "A1", reason }],
    });
  });

  it("are counted by group, and those that do not pass are named below", () => {
    const tests = [test("A1: x", "passed"), test("A2: x", "failed", "no"), test("B1: x", "passed")];
    expect(scoreText(scoreOf(ids, { tests, fileErrors: [], errors: [] }, {}))).toBe(
      'A 1 / 3\nB 1 / 1\nA2: "A2: x" failed: no\nA10: no test has this id.',
    );
  });

  it("do not pass as a whole when something goes wrong outside of all files", () => {
    const report = { tests: [test("A1: x", "passed")], fileErrors: [], errors: ["unhandled: no"] };
    expect(scoreOf(["A1"], report, {}).failures).toEqual([{ id: "all", reason: "unhandled: no" }]);
  });

  it("are found in the text of a test file, however they are written", () => {
    const text = 'it("A1: x"); it(`A2: ${x}`); it(\'A12: "x"\'); [{ id: "B1" }]; "B2once"; // B3: x';
    expect(idsIn(text)).toEqual(["A1", "A2", "A12", "B1"]);
  });

  it("are all found in the files of the score", () => {
    const folder = new URL("../faults/", import.meta.url);
    const files = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
    const found = files.flatMap((name) => idsIn(readFileSync(new URL(name, folder), "utf8")));
    expect(rows.map(({ id }) => id).filter((id) => !found.includes(id))).toEqual([]);
  });
});
