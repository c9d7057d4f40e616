import { expect, it } from "vitest";
import { isLeftover, type RunState, UNKNOWN_GRACE_MS } from "../../domain/leftovers.ts";

const MADE = Date.parse("2026-11-21T12:00:00Z");
const sandbox = { key: "k-coder", workflowId: "issue/o/r/1", madeAt: MADE };

it.each<[RunState, number, boolean]>([
  ["open", 0, false],
  ["open", UNKNOWN_GRACE_MS * 100, false],
  ["ended", 0, true],
  ["unknown", UNKNOWN_GRACE_MS, false],
  ["unknown", UNKNOWN_GRACE_MS + 1, true],
])("the sandbox of a run that is %s, after %s ms, is a leftover: %s", (state, ageMs, expected) => {
  expect(isLeftover(sandbox, state, MADE + ageMs)).toBe(expected);
});
