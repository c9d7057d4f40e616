/** A vitest reporter that writes what became of each test, for the fault score. */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import util from "node:util";

/** @typedef {import("./score.mjs").Report} Report */
/** @typedef {import("vitest/reporters").Reporter} Reporter */

/** @implements {Reporter} */
export default class FaultsReporter {
  /**
   * @param {ReadonlyArray<import("vitest/node").TestModule>} modules
   * @param {ReadonlyArray<import("vitest/node").SerializedError>} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    /** @type {Report} */
    const report = { tests: [], fileErrors: [], errors: unhandledErrors.map(firstLine) };
    for (const module of modules) {
      const file = relative(process.cwd(), module.moduleId);
      const suites = [module, ...module.children.allSuites()];
      const errors = suites.flatMap((suite) => suite.errors());
      report.fileErrors.push(...errors.map((error) => ({ file, reason: firstLine(error) })));
      for (const test of module.children.allTests()) report.tests.push({ title: test.name, file, ...outcomeOf(test) });
    }
    const path = process.env.MERGEWRIGHT_FAULTS_REPORT;
    if (path) writeFileSync(path, JSON.stringify(report));
  }
}

/**
 * @param {import("vitest/node").TestCase} test
 * @returns {Pick<import("./score.mjs").TestResult, "state" | "reason">}
 */
function outcomeOf(test) {
  const result = test.result();
  switch (result.state) {
    case "passed":
      return { state: "passed", reason: null };
    case "failed":
      return { state: "failed", reason: result.errors.map(firstLine).join("; ") };
    case "skipped":
      return { state: "skipped", reason: result.note ?? skippedGroup(test) };
    case "pending":
      return { state: "failed", reason: "it did not end" };
  }
}

/**
 * A group that is skipped tells why in its name (`test/support/presence.ts`).
 * @param {import("vitest/node").TestCase} test
 */
function skippedGroup(test) {
  return /\(skipped: (.*)\)/.exec(test.fullName)?.[1] ?? null;
}

/** @param {{ message: string }} error */
function firstLine(error) {
  return util.stripVTControlCharacters(error.message).split("\n")[0] ?? "";
}
