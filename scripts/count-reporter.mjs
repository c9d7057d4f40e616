/** A vitest reporter that writes how many tests passed, failed and were skipped, for the last line of `npm test`. */
import { writeFileSync } from "node:fs";

/** @typedef {import("vitest/reporters").Reporter} Reporter */

/** @implements {Reporter} */
export default class CountReporter {
  /**
   * @param {ReadonlyArray<import("vitest/node").TestModule>} modules
   * @param {ReadonlyArray<unknown>} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests)
        counts[test.result().state === "pending" ? "failed" : /** @type {"passed"} */ (test.result().state)] += 1;
      // A file that cannot be loaded, or whose hook fails, has no failed test of its own.
      if (module.state() === "failed" && !tests.some((test) => test.result().state === "failed")) counts.failed += 1;
    }
    const file = process.env.MERGEWRIGHT_TEST_COUNTS;
    if (file) writeFileSync(file, JSON.stringify(counts));
  }
}
