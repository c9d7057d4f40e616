import { describe, expect, it } from "vitest";
import { judgeChecks } from "../../domain/checks.ts";
import type { CheckReport } from "../../domain/ports.ts";

const check = (name: string, state: CheckReport["state"], ours = false): CheckReport => ({
  name,
  state,
  url: null,
  summary: null,
  ours,
});
const judge = (reports: CheckReport[], expected = true, waitedMs = 0) =>
  judgeChecks({ reports, expected, waitedMs, graceMs: 60_000 }).kind;

describe("the checks of a head commit", () => {
  it.each([
    ["all successful", [check("a", "success"), check("b", "neutral")], "passed"],
    ["one failed", [check("a", "success"), check("b", "failure")], "failed"],
    ["one failed while another runs", [check("a", "pending"), check("b", "failure")], "wait"],
    ["only ours, which failed", [check("mergewright", "failure", true)], "wait"],
  ] as const)("%s", (_, reports, verdict) => {
    expect(judge([...reports])).toBe(verdict);
  });

  it("that are expected get a minute to appear", () => {
    expect(judge([], true, 59_999)).toBe("wait");
    expect(judge([], true, 60_000)).toBe("passed");
  });

  it("are not waited for where the base has none", () => {
    expect(judge([], false)).toBe("passed");
  });
});
