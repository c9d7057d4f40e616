/** What the checks of a head commit mean for the run. */
import type { CheckReport } from "./ports.ts";

export type ChecksVerdict =
  | { kind: "passed"; detail: string }
  | { kind: "failed"; failures: CheckReport[] }
  | { kind: "wait"; detail: string };

/**
 * Judges the checks that are not ours. A check that the branch requires and that has not reported is waited for like one that runs. `expected` tells that the base commit had checks, so that this head will
 * probably get some too; until `graceMs` has passed, none at all then means "not started yet".
 */
export function judgeChecks(input: {
  reports: readonly CheckReport[];
  /** Names of those without which GitHub merges nothing. */
  required: readonly string[];
  expected: boolean;
  waitedMs: number;
  graceMs: number;
}): ChecksVerdict {
  const others = input.reports.filter((report) => !report.ours);
  const failures = others.filter((report) => report.state === "failure");
  const pending = others.filter((report) => report.state === "pending");
  if (pending.length > 0)
    return { kind: "wait", detail: `waiting for ${pending.map((report) => report.name).join(", ")}` };
  if (failures.length > 0) return { kind: "failed", failures };
  const silent = input.required.filter((name) => !input.reports.some((report) => report.name === name));
  if (silent.length > 0)
    return { kind: "wait", detail: `waiting for ${silent.join(", ")}: required here, and not reported yet` };
  if (others.length > 0) return { kind: "passed", detail: `${others.length} checks passed` };
  if (input.expected && input.waitedMs < input.graceMs)
    return { kind: "wait", detail: "waiting for the first check to start" };
  return { kind: "passed", detail: "the repository has no checks" };
}
