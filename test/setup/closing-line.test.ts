import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mergewright-count-"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  mkdirSync(join(folder, "t"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function count(files: Record<string, string>): { passed: number; failed: number; skipped: number } {
  for (const [name, source] of Object.entries(files)) {
    writeFileSync(
      join(folder, "t", `${name}.test.ts`),
      `import { beforeAll, describe, test } from "vitest";\n${source}`,
    );
  }
  const counts = join(folder, "counts.json");
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const reporter = `--reporter=${join(root, "scripts", "count-reporter.mjs")}`;
  const { VITEST: _v, VITEST_POOL_ID: _p, VITEST_WORKER_ID: _w, NODE_OPTIONS: _n, ...env } = process.env;
  spawnSync(process.execPath, [vitest, "run", "--root", folder, reporter], {
    env: { ...env, MERGEWRIGHT_TEST_COUNTS: counts },
    encoding: "utf8",
  });
  return JSON.parse(readFileSync(counts, "utf8"));
}

test("passed, failed and skipped tests are counted, and a file that cannot be loaded is a failure", () => {
  const counted = count({
    mixed: `
      test("a", () => {});
      test("b", () => { throw new Error("no"); });
      describe.skip("c", () => { test("d", () => {}); test("e", () => {}); });`,
    broken: 'throw new Error("cannot be loaded");',
    hook: 'describe("h", () => { beforeAll(() => { throw new Error("hook"); }); test("i", () => {}); });',
  });
  expect(counted.passed).toBe(1);
  expect(counted.failed).toBeGreaterThanOrEqual(3);
  expect(counted.skipped).toBeGreaterThanOrEqual(2);
});
