import { describe, expect, it } from "vitest";
import { isRunAhead } from "../../domain/run-ahead.ts";

describe("a worker has run ahead of the history", () => {
  const cases: [what: string, before: string[], jobs: string[], events: number, ahead: boolean][] = [
    ["when its task timed out, and another came", ["scheduleActivity"], ["doUpdate"], 3, true],
    ["when a signal came besides", ["scheduleActivity"], ["signalWorkflow"], 4, true],
    ["when an activity ended besides", ["startTimer", "scheduleActivity"], ["completedActivity"], 5, true],
    ["when more had been wanted than has happened", ["upsertWorkflowSearchAttributes", "startTimer"], [], 4, true],
  ];
  const not: typeof cases = [
    ["when its commands are events, and an update came", ["scheduleActivity"], ["doUpdate"], 4, false],
    [
      "when its commands are events, and a signal came",
      ["scheduleActivity", "startTimer"],
      ["signalWorkflow"],
      6,
      false,
    ],
    ["when its activity ended", ["scheduleActivity"], ["completedActivity"], 6, false],
    ["when an activity was never started, and failed", ["scheduleActivity"], ["resolveActivity"], 5, false],
    ["when nothing was wanted", [], ["doUpdate"], 3, false],
    ["when what was wanted was taken back at once", ["startTimer", "cancelTimer"], ["doUpdate"], 3, false],
    ["when what leaves no event was wanted", ["respondToQuery"], ["doUpdate"], 3, false],
    ["when it is still the same task", ["scheduleActivity"], ["resolveChildWorkflowExecutionStart"], 0, false],
  ];
  for (const [what, commands, jobs, events, ahead] of cases.concat(not)) {
    it(`${ahead ? "" : "not "}${what}`, () => {
      const before = { historyLength: 100, jobs: [], commands };
      expect(isRunAhead(before, { historyLength: 100 + events, jobs, commands: [] })).toBe(ahead);
    });
  }
});
