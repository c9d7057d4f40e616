import { describe, expect, test } from "vitest";
import { ago, money, span, stationsOf, toneOf, waitWords } from "../../api/pages/words.ts";
import type { Phase } from "../../domain/run.ts";

const at = "2026-01-01T00:00:00.000Z";
const been = (...phases: Phase[]) => phases.map((phase) => ({ phase, at }));
const where = (phase: Phase, ...before: Phase[]) => {
  const stations = stationsOf({ phase, phases: been(...before) });
  return stations
    .filter(({ state }) => state !== "ahead" && state !== "done")
    .map(({ name, state }) => `${name} ${state}`);
};

describe("the way of a run", () => {
  test.each([
    ["received", [], ["Received now"]],
    ["planning", ["received", "classifying"], ["Plan now"]],
    ["awaiting-plan-approval", ["received", "planning"], ["Plan now"]],
    ["working", ["received", "working", "reviewing"], ["Work now"]],
    ["paused", ["received", "working", "paused"], ["Work now"]],
    ["failed", ["received", "working", "verifying", "failed"], ["Verify stopped"]],
    ["cancelled", ["received", "working", "paused", "cancelled"], ["Work stopped"]],
    ["merged", ["received", "merging", "merged"], []],
    ["merged", [], []],
  ] as [Phase, Phase[], string[]][])("in phase %s after %j stands at %j", (phase, before, expected) => {
    expect(where(phase, ...before)).toEqual(expected);
  });
});

test.each([
  ["merged", null, "good", null],
  ["failed", null, "bad", null],
  ["declined", null, "quiet", null],
  ["working", null, "moving", null],
  ["working", { kind: "operator", since: at }, "waiting", "the operator"],
  ["working", { kind: "budget", since: at }, "waiting", "a person to raise the budget"],
  ["awaiting-checks", { kind: "checks", since: at }, "moving", "the checks on GitHub"],
  ["awaiting-approval", null, "waiting", "a person to approve the merge"],
  ["paused", null, "waiting", "a person to resume it"],
] as const)("a run in phase %s that waits for %j is shown as %s", (phase, waitingFor, tone, words) => {
  expect([toneOf({ phase, waitingFor }), waitWords({ phase, waitingFor })]).toEqual([tone, words]);
});

test.each([
  [0, ""],
  [999, ""],
  [59_000, "59 s"],
  [61_000, "1 min"],
  [3_600_000, "1 h"],
  [47 * 3_600_000, "47 h"],
  [48 * 3_600_000, "2 d"],
  [Number.NaN, ""],
  [-5_000, ""],
])("%d ms is told as %j", (ms, text) => {
  expect(span(ms)).toBe(text);
});

test("a moment is told in the past, and money with what can be told apart", () => {
  expect(ago(at, new Date("2026-01-01T00:05:00Z"))).toBe("5 min ago");
  expect(ago(at, new Date(at))).toBe("just now");
  expect([money(0), money(0.0021), money(0.08), money(12.345)]).toEqual(["$0.00", "$0.0021", "$0.08", "$12.35"]);
});
