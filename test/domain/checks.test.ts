import { describe, expect, it } from "vitest";
import { judgeChecks } from "../../domain/checks.ts";
import type { CheckReport } from "../../domain/ports.ts";

const check = (name: string, state: CheckReport["state"], ours = false): CheckReport => ({
  id: null,
  name,
  state,
  url: null,
  summary: null,
  ours,
});
const judge = (reports: CheckReport[], expected = true, waitedMs = 0, required: string[] = []) =>
  judgeChecks({ reports, required, expected, waitedMs, graceMs: 60_000 }).kind;

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

  it("that are required are waited for until they report, also when all others are done", () => {
    expect(judge([check("a", "success")], true, 3_600_000, ["a", "deploy"])).toBe("wait");
    expect(judge([check("a", "success"), check("deploy", "neutral")], true, 0, ["a", "deploy"])).toBe("passed");
    expect(judge([check("a", "failure")], true, 0, ["deploy"])).toBe("failed");
  });

  it("are not waited for where the base has none", () => {
    expect(judge([], false)).toBe("passed");
  });
});
