import { describe, expect, it } from "vitest";
import { ASKED_TO_WAIT, patienceFor, REPLY_NOT_STORED, type StepFailure } from "../../domain/patience.ts";

const failure: StepFailure = { type: "ServiceUnavailable", reason: "away", final: false, retryAfterMs: null };

describe("how long a failed step is waited for", () => {
  it.each<[string, Partial<StepFailure>, number, object]>([
    ["an outage, first", {}, 0, { kind: "outage", waitMs: 10_000 }],
    ["an outage, third time", {}, 2, { kind: "outage", waitMs: 40_000 }],
    ["an outage of hours", {}, 30, { kind: "outage", waitMs: 300_000 }],
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

  it("is spread by a tenth, to later only", () => {
    expect(patienceFor(failure, 0, 1)).toMatchObject({ waitMs: 11_000 });
    expect(patienceFor({ ...failure, type: "RateLimited" }, 0, 1)).toMatchObject({ waitMs: 66_000 });
  });
});
