/** `npm run --silent test:faults [-- --json] [--seeds N] [IDS or GROUPS ...]`: set-up, the tests of the fault score, and the score. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import util from "node:util";
import { chooseRows, idsIn, scoreOf, scoreText, testNamePattern } from "./faults/score.mjs";
import { root, setUp } from "./setup/set-up.mjs";
import { main, start } from "./setup/start.mjs";

const usage = `Usage: npm run --silent test:faults -- [--json] [--seeds N] [IDS or GROUPS ...]
  --json     one JSON document on standard output: {groups: {A: {passed, total}, ...}, failures: [{id, reason}]}
             (the id "all": something went wrong outside of all tests, and the whole does not pass)
  --seeds N  how many random crash runs (default 5)
  IDS        rows such as A5 C10, ranges such as E1-E7, or groups such as A D; all without one`;

await main(async () => {
  const asked = readArguments(process.argv.slice(2));
  if ("wrong" in asked) {
    process.stderr.write(`${asked.wrong}\n${usage}\n`);
    return 2;
  }
  if (asked.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const { env } = await setUp();
  const ids = await rowIds();
  const { chosen, unknown } = chooseRows(ids, asked.words);
  if (unknown.length > 0) {
    process.stderr.write(`No row or group of the fault score: ${unknown.join(", ")}\nThere are: ${ids.join(" ")}\n`);
    return 2;
  }
  const report = await runTests(chosen, { ...env, MERGEWRIGHT_FAULT_SEEDS: String(asked.seeds) });
  const score = scoreOf(chosen, report, await idsOfFiles());
  process.stdout.write(`${asked.json ? JSON.stringify(score) : scoreText(score)}\n`);
  return score.failures.length > 0 ? 1 : 0;
});

/**
 * @param {readonly string[]} ids
 * @param {Record<string, string>} env
 * @returns {Promise<import("./faults/score.mjs").Report>}
 */
async function runTests(ids, env) {
  const folder = await mkdtemp(join(tmpdir(), "mergewright-faults-"));
  try {
    const file = join(folder, "report.json");
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const reporters = ["--reporter=default", `--reporter=${join(root, "scripts", "faults", "reporter.mjs")}`];
    // Standard output is for the score alone.
    const code = await start(
      [vitest, "run", "test/faults", "-t", testNamePattern(ids), ...reporters],
      { ...env, MERGEWRIGHT_FAULTS_REPORT: file },
      ["inherit", 2, 2],
    );
    /** @type {import("./faults/score.mjs").Report} */
    const report = await readFile(file, "utf8").then(JSON.parse, () => ({ tests: [], fileErrors: [], errors: [] }));
    const told =
      report.errors.length + report.fileErrors.length > 0 || report.tests.some(({ state }) => state === "failed");
    if (code !== 0 && !told) report.errors.push(`the tests ended with exit code ${code} and did not tell why`);
    return report;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The rows are TypeScript, which needs what set-up has installed. */
async function rowIds() {
  const { tsImport } = await import("tsx/esm/api");
  /** @type {typeof import("../test/faults/rows.ts")} */
  const { rows } = await tsImport("../test/faults/rows.ts", import.meta.url);
  return rows.map(({ id }) => id);
}

/** @returns {Promise<Record<string, string[]>>} */
async function idsOfFiles() {
  const folder = join("test", "faults");
  const names = (await readdir(join(root, folder))).filter((name) => name.endsWith(".test.ts"));
  const read = async (/** @type {string} */ name) => idsIn(await readFile(join(root, folder, name), "utf8"));
  return Object.fromEntries(await Promise.all(names.map(async (name) => [join(folder, name), await read(name)])));
}

/**
 * @param {string[]} args
 * @returns {{ wrong: string } | { help: boolean, json: boolean, seeds: number, words: string[] }}
 */
function readArguments(args) {
  try {
    const { values, positionals } = util.parseArgs({
      args,
      allowPositionals: true,
      options: { json: { type: "boolean" }, seeds: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
    const seeds = values.seeds ?? "5";
    if (!/^[1-9]\d{0,3}$/.test(seeds)) return { wrong: `--seeds ${seeds}: a whole number from 1 to 9999.` };
    return { help: values.help ?? false, json: values.json ?? false, seeds: Number(seeds), words: positionals };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}
