/** `npm test`: set-up, all tests, and a last line that a machine can read: `N passed, N failed[, N skipped]`. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, setUp } from "./setup/set-up.mjs";
import { main, start } from "./setup/start.mjs";

await main(async () => {
  const { env, sandboxing } = await setUp();
  if (sandboxing.kind === "local") process.stderr.write(`  ! Docker tests are skipped: ${sandboxing.reason}\n`);
  const folder = await mkdtemp(join(tmpdir(), "mergewright-test-"));
  try {
    const counts = join(folder, "counts.json");
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const reporters = ["--reporter=default", `--reporter=${join(root, "scripts", "count-reporter.mjs")}`];
    const code = await start([vitest, "run", ...reporters, ...process.argv.slice(2)], {
      ...env,
      MERGEWRIGHT_TEST_COUNTS: counts,
    });
    const { passed, failed, skipped } = await readCounts(counts, code);
    process.stdout.write(`\n${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}\n`);
    return code === 0 && failed > 0 ? 1 : code;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/**
 * @param {string} file
 * @param {number} code
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
async function readCounts(file, code) {
  try {
    const counts = JSON.parse(await readFile(file, "utf8"));
    // Failed without a failed test: an error outside of all tests, or a threshold.
    return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } catch {
    process.stderr.write(`The test run ended (exit code ${code}) before it could report.\n`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
