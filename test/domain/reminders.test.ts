import { expect, it } from "vitest";
import { nextAlarm } from "../../domain/reminders.ts";

const HOUR = 3_600_000;

it.each([
  ["nothing is set", { waitedMs: 5, hours: 0, days: 0 }, null],
  ["it has just begun", { waitedMs: 0, hours: 48, days: 30 }, { kind: "remind", number: 1, inMs: 48 * HOUR }],
  [
    "the first reminder is given",
    { waitedMs: 48 * HOUR, hours: 48, days: 30 },
    { kind: "remind", number: 2, inMs: 48 * HOUR },
  ],
  [
    "somebody looked up in between",
    { waitedMs: 50 * HOUR, hours: 48, days: 30 },
    { kind: "remind", number: 2, inMs: 46 * HOUR },
  ],
  [
    "the end comes before the next reminder",
    { waitedMs: 30 * HOUR, hours: 48, days: 2 },
    { kind: "expired", inMs: 18 * HOUR },
  ],
  ["reminder and end fall together", { waitedMs: 0, hours: 48, days: 2 }, { kind: "expired", inMs: 48 * HOUR }],
  ["only the end is set", { waitedMs: HOUR, hours: 0, days: 1 }, { kind: "expired", inMs: 23 * HOUR }],
  ["it is over already", { waitedMs: 90 * HOUR, hours: 0, days: 1 }, { kind: "expired", inMs: 0 }],
] as const)("when %s, the next alarm is right", (_, wait, alarm) => {
  expect(nextAlarm(wait)).toEqual(alarm);
});
