import { describe, expect, it } from "vitest";
import { ASKED_TO_WAIT, patienceFor, REPLY_NOT_STORED, type StepFailure } from "../../domain/patience.ts";

/** What a step of a run that fails once more adds at most: `test/workflows/new-histories.test.ts` counts. */
const EVENTS_OF_A_ROUND = 40;
const TEMPORAL_ENDS_AT_EVENTS = 51_200;

const failure: StepFailure = { type: "ServiceUnavailable", reason: "away", final: false, retryAfterMs: null };

describe("how long a failed step is waited for", () => {
  it.each<[string, Partial<StepFailure>, number, object]>([
    ["an outage, first", {}, 0, { kind: "outage", waitMs: 10_000 }],
    ["an outage, third time", {}, 2, { kind: "outage", waitMs: 40_000 }],
    ["an outage of hours", {}, 30, { kind: "outage", waitMs: 300_000 }],
    ["an outage of a day", {}, 288, { kind: "outage", waitMs: 3_600_000 }],
    [
      "an outage that names a time",
      { type: ASKED_TO_WAIT, final: true, retryAfterMs: 600_000 },
      0,
      { waitMs: 600_000 },
    ],
    ["a reply that found no place", { type: REPLY_NOT_STORED, final: true }, 0, { kind: "outage", waitMs: 10_000 }],
    ["a time-out", { type: null }, 0, { kind: "outage" }],
    ["an unknown failure", { type: "TypeError" }, 0, { kind: "outage" }],
    ["a limit that names a time", { type: "RateLimited", final: true, retryAfterMs: 2_000 }, 0, { waitMs: 2_000 }],
    ["the same again", { type: "RateLimited", final: true, retryAfterMs: 2_000 }, 3, { waitMs: 2_000 }],
    ["a limit that names none", { type: "RateLimited", final: true }, 0, { kind: "rate-limit", waitMs: 60_000 }],
    ["the same, third time", { type: "RateLimited", final: true }, 2, { kind: "rate-limit", waitMs: 240_000 }],
    ["the same for hours", { type: "RateLimited", final: true }, 40, { kind: "rate-limit", waitMs: 1_800_000 }],
    ["a refused key", { type: "AccessDenied", final: true }, 0, { kind: "operator" }],
  ])("%s", (_about, over, round, expected) =>
    expect(patienceFor({ ...failure, ...over }, round, 0)).toMatchObject(expected),
  );

  it("leaves a history room for a month of it", () => {
    let rounds = 0;
    for (let ms = 0; ms < 30 * 24 * 3_600_000; rounds += 1) {
      const patience = patienceFor(failure, rounds, 0);
      ms += patience.kind === "operator" ? Infinity : patience.waitMs;
    }
    expect(rounds * EVENTS_OF_A_ROUND).toBeLessThan(TEMPORAL_ENDS_AT_EVENTS);
  });

  it("is spread by a tenth, to later only", () => {
    expect(patienceFor(failure, 0, 1)).toMatchObject({ waitMs: 11_000 });
    expect(patienceFor({ ...failure, type: "RateLimited" }, 0, 1)).toMatchObject({ waitMs: 66_000 });
  });
});
