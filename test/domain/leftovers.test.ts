import { expect, it } from "vitest";
import {
  isIdle,
  isLeftover,
  makesRoom,
  type PendingStep,
  type RunState,
  standsInLine,
  UNKNOWN_GRACE_MS,
} from "../../domain/leftovers.ts";

const MADE = Date.parse("2026-11-21T12:00:00Z");
const sandbox = { key: "k-coder", runKey: "k", workflowId: "issue/o/r/1", madeAt: MADE };
const open = (firstRunId: string | null): RunState => ({ kind: "open", firstRunId });
const LONG = UNKNOWN_GRACE_MS * 100;

it.each<[string, RunState, string | null, number, boolean]>([
  ["is open", open("first"), "first", LONG, false],
  ["is open, and followed another to which it belongs", open("second"), "first", 0, true],
  ["is open, and has not said to which chain it belongs", open("second"), null, LONG, false],
  ["is open, on a server that does not tell its chain", open(null), "first", LONG, false],
  ["has ended", { kind: "ended" }, "first", 0, true],
  ["is not known yet", { kind: "unknown" }, null, UNKNOWN_GRACE_MS, false],
  ["has not been known for a while", { kind: "unknown" }, null, UNKNOWN_GRACE_MS + 1, true],
])("the sandbox of a run that %s is judged so", (_, state, firstRunId, ageMs, expected) => {
  expect(isLeftover(sandbox, state, firstRunId, MADE + ageMs)).toBe(expected);
});

it.each([
  ["in use until now", MADE, 60_000, MADE + 60_000, false],
  ["not used for longer than the setting", MADE, 60_000, MADE + 60_001, true],
  ["never used from here", null, 60_000, MADE + 60_001, false],
  ["unused, and the setting says never", MADE, 0, MADE + 1e12, false],
] as const)("a sandbox that is %s is judged so", (_, lastUse, idleMs, nowMs, idle) => {
  expect(isIdle(lastUse, idleMs, nowMs)).toBe(idle);
});

it.each<[string | undefined, boolean, number, boolean]>([
  ["awaiting-approval", false, 10_001, true],
  ["awaiting-checks", false, 10_001, true],
  ["paused", false, 10_001, true],
  ["awaiting-approval", false, 10_000, false],
  ["working", false, 3_600_000, false],
  ["working", true, 10_001, true],
  ["working", true, 10_000, false],
  [undefined, false, 3_600_000, false],
])("the sandbox of a run that is %s (in line: %s), unused for %s ms, makes room: %s", (phase, inLine, ms, expected) => {
  expect(makesRoom({ phase, inLine }, MADE, MADE + ms)).toBe(expected);
});

it.each<[string, PendingStep[], boolean]>([
  ["has nothing to do", [], false],
  ["has a step that is worked on", [{ waits: false, queue: "line" }], false],
  [
    "has a step that waits in line",
    [
      { waits: false, queue: "all" },
      { waits: true, queue: "line" },
    ],
    true,
  ],
  ["has a step at home that its worker is late with", [{ waits: true, queue: "home" }], false],
  ["has a step that any worker could take, and none has", [{ waits: true, queue: "all" }], false],
  ["has a step that waits on a server that does not tell where", [{ waits: true, queue: null }], true],
])("whether a run stands in line that %s is judged so", (_, steps, inLine) => {
  expect(standsInLine(steps, "line")).toBe(inLine);
});
