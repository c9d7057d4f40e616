/** The table from faults to our errors. */
import { describe, expect, it } from "vitest";
import { faultOf, readRetryAfter, toModelError, type ModelFault } from "../../activities/adapters/anthropic/errors.ts";

describe("a fault of Claude's", () => {
  it.each<[number | null, string | null, ModelFault]>([
    [400, "invalid_request_error", "refused"],
    [401, "authentication_error", "denied"],
    [402, "billing_error", "denied"],
    [403, "permission_error", "denied"],
    [404, "not_found_error", "refused"],
    [408, null, "unavailable"],
    [409, "conflict_error", "refused"],
    [413, "request_too_large", "refused"],
    [422, null, "refused"],
    [429, "rate_limit_error", "rate-limited"],
    [429, null, "rate-limited"],
    [500, "api_error", "unavailable"],
    [502, null, "unavailable"],
    [503, "overloaded_error", "unavailable"],
    [504, "timeout_error", "unavailable"],
    [524, null, "unavailable"],
    [529, null, "unavailable"],
    [529, "overloaded_error", "unavailable"],
    [302, null, "unavailable"],
    [null, "overloaded_error", "unavailable"],
    [null, "rate_limit_error", "rate-limited"],
    [null, "authentication_error", "denied"],
    [null, "invalid_request_error", "refused"],
    [null, "api_error", "unavailable"],
    [null, null, "unavailable"],
    [null, "something_new", "unavailable"],
  ])("%s %s is %s", (status, type, fault) => expect(faultOf(status, type)).toBe(fault));

  it("that is no error of the SDK's is a broken connection, with its innermost reason", () => {
    const error = toModelError(
      new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED 127.0.0.1:1") }),
      0,
    );
    expect(error.name).toBe("ServiceUnavailable");
    expect(error.message).toContain("connect ECONNREFUSED");
    expect(toModelError("text", 0).message).toContain("text");
    expect(toModelError(undefined, 0).name).toBe("ServiceUnavailable");
  });
});

describe("retry-after", () => {
  const now = Date.parse("2026-11-20T12:00:00Z");
  it.each<[Record<string, string>, number | null]>([
    [{}, null],
    [{ "retry-after": "2" }, 2000],
    [{ "retry-after": " 1.5 " }, 1500],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "Fri, 20 Nov 2026 12:00:30 GMT" }, 30_000],
    [{ "retry-after": "Fri, 20 Nov 2026 11:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, null],
    [{ "retry-after": "-5" }, null],
    [{ "retry-after": "" }, null],
    [{ "retry-after-ms": "1200.4", "retry-after": "60" }, 1201],
    [{ "retry-after-ms": "x", "retry-after": "60" }, 60_000],
  ])("%j is %s ms", (headers, expected) => expect(readRetryAfter(new Headers(headers), now)).toBe(expected));
});
