import { describe, expect, it } from "vitest";
import { type Failure, toError } from "../../activities/adapters/github/errors.ts";
import { RateLimited, ServiceUnavailable } from "../../domain/errors.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const SECOND = NOW / 1000;

interface Row {
  about: string;
  failure: Partial<Failure>;
  becomes: string;
  /** Milliseconds, without jitter; undefined: the error knows none. */
  waits?: number | null;
}

const rows: Row[] = [
  { about: "no answer", failure: { status: null }, becomes: "ServiceUnavailable", waits: null },
  { about: "500", failure: { status: 500 }, becomes: "ServiceUnavailable", waits: null },
  {
    about: "503 that says when",
    failure: { status: 503, headers: { "retry-after": "7" } },
    becomes: "ServiceUnavailable",
    waits: 7000,
  },
  { about: "408", failure: { status: 408 }, becomes: "ServiceUnavailable" },
  { about: "400", failure: { status: 400 }, becomes: "RequestRefused" },
  { about: "401", failure: { status: 401 }, becomes: "AccessDenied" },
  {
    about: "403 without a limit",
    failure: { status: 403, headers: { "x-ratelimit-remaining": "12" } },
    becomes: "AccessDenied",
  },
  {
    about: "403 with retry-after",
    failure: { status: 403, headers: { "retry-after": "30" } },
    becomes: "RateLimited",
    waits: 30_000,
  },
  {
    about: "retry-after as a date",
    failure: { status: 429, headers: { "retry-after": "Thu, 01 Jan 2026 00:00:09 GMT" } },
    becomes: "RateLimited",
    waits: 9000,
  },
  {
    about: "retry-after of nothing",
    failure: { status: 429, headers: { "retry-after": "0" } },
    becomes: "RateLimited",
    waits: 1000,
  },
  {
    about: "403 of the primary limit",
    failure: { status: 403, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(SECOND + 600) } },
    becomes: "RateLimited",
    waits: 601_000,
  },
  {
    about: "the primary limit on a machine whose clock is ten minutes behind GitHub's",
    failure: {
      status: 403,
      headers: {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": String(SECOND + 660),
        date: new Date(NOW + 600_000).toUTCString(),
      },
    },
    becomes: "RateLimited",
    waits: 61_000,
  },
  {
    about: "a reset that has passed",
    failure: { status: 429, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(SECOND - 5) } },
    becomes: "RateLimited",
    waits: 1000,
  },
  {
    about: "a secondary limit that does not say when",
    failure: { status: 403, message: "You have exceeded a secondary rate limit. Please wait a few minutes." },
    becomes: "RateLimited",
    waits: null,
  },
  { about: "429 that does not say when", failure: { status: 429 }, becomes: "RateLimited", waits: null },
  { about: "404", failure: { status: 404 }, becomes: "NotFound" },
  { about: "410", failure: { status: 410 }, becomes: "NotFound" },
  { about: "405", failure: { status: 405 }, becomes: "RequestRefused" },
  { about: "409", failure: { status: 409 }, becomes: "RequestRefused" },
  {
    about: "422",
    failure: { status: 422, message: "Validation Failed: title is missing_field" },
    becomes: "RequestRefused",
  },
  { about: "451", failure: { status: 451 }, becomes: "AccessDenied" },
  { about: "GraphQL: not found", failure: { status: 200, graphqlType: "NOT_FOUND" }, becomes: "NotFound" },
  { about: "GraphQL: forbidden", failure: { status: 200, graphqlType: "FORBIDDEN" }, becomes: "AccessDenied" },
  {
    about: "GraphQL: unprocessable",
    failure: { status: 200, graphqlType: "UNPROCESSABLE" },
    becomes: "RequestRefused",
  },
  {
    about: "GraphQL: limit",
    failure: {
      status: 200,
      graphqlType: "RATE_LIMITED",
      headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(SECOND + 60) },
    },
    becomes: "RateLimited",
    waits: 61_000,
  },
];

describe("GitHub's refusals in our words", () => {
  it.each(rows)("$about becomes $becomes", ({ failure, becomes, waits }) => {
    const complete = { status: 200, message: "Because", headers: {}, ...failure };
    const error = toError(complete, { action: "comment on acme/widget#7", now: NOW, jitter: 0 });
    expect(error.name).toBe(becomes);
    expect(error.message).toContain("comment on acme/widget#7");
    expect(error.message).toContain(complete.message);
    const told = error instanceof RateLimited || error instanceof ServiceUnavailable ? error.retryAfterMs : undefined;
    if (waits !== undefined) expect(told).toBe(waits);
  });

  it("spreads those who wait for the same reset over five seconds", () => {
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(SECOND + 10) };
    const error = toError({ status: 403, message: "", headers }, { action: "x", now: NOW, jitter: 1 });
    expect(error).toMatchObject({ retryAfterMs: 16_000 });
  });
});
