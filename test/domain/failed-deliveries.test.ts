import { expect, it } from "vitest";
import { isDueAgain, LET_IN_WITHIN_MS, tellFailedDeliveries, waitToLetIn } from "../../domain/failed-deliveries.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

it("a delivery waits for its key with less and less haste, and not beyond an hour after it came", () => {
  const waits: number[] = [];
  for (let ageMs = 0; ;) {
    const waitMs = waitToLetIn(waits.length, ageMs);
    if (waitMs === null) break;
    waits.push(waitMs);
    ageMs += waitMs;
    expect(ageMs).toBeLessThanOrEqual(LET_IN_WITHIN_MS);
  }
  expect(waits.slice(0, 3)).toEqual([1_000, 2_000, 4_000]);
  expect(Math.max(...waits)).toBe(5 * MINUTE);
  expect(waits.length).toBeLessThan(25);
  expect(waitToLetIn(0, 3 * HOUR)).toBeNull();
});

it.each([
  ["the first time at once", 1, 0, HOUR, true],
  ["then not within a minute", 2, MINUTE - 1, HOUR, false],
  ["but after it", 2, MINUTE, HOUR, true],
  ["after twice as long the next time", 3, 2 * MINUTE - 1, HOUR, false],
  ["every hour at last", 40, HOUR, DAY, true],
  ["and not sooner", 40, HOUR - 1, DAY, false],
  ["still after three days", 40, HOUR, 3 * DAY, true],
  ["and then never again", 40, HOUR, 3 * DAY + 1, false],
])("the sweep tries a delivery that failed again: %s", (_, failures, restedMs, ageMs, due) => {
  const now = new Date("2026-11-20T12:00:00Z");
  const ago = (ms: number) => new Date(now.getTime() - ms);
  const failed = { workflowId: "delivery/1", runId: "r", since: ago(ageMs), failedAt: ago(restedMs), failures };
  expect(isDueAgain(failed, now)).toBe(due);
});

it("deliveries that failed are told in a sentence", () => {
  const failed = { workflowId: "delivery/1", runId: "r", since: new Date(), failedAt: new Date(), failures: 1 };
  expect(tellFailedDeliveries([], null)).toBeNull();
  expect(tellFailedDeliveries([failed], "no")).toBe("1 delivery was not let in, the newest is delivery/1: no");
  expect(tellFailedDeliveries([failed, failed], null)).toContain("2 deliveries were not let in");
});
