/** Counts the rows of the fault score from what the tests said. Pure. */

/**
 * @typedef {object} TestResult
 * @property {string} title
 * @property {string} file
 * @property {"passed" | "failed" | "skipped"} state
 * @property {string | null} reason Why it failed or was skipped.
 */
/**
 * @typedef {object} Report What `reporter.mjs` writes.
 * @property {TestResult[]} tests
 * @property {string[]} errors Of files that could not be loaded, of hooks, and outside of all tests.
 */
/**
 * @typedef {object} Score
 * @property {Record<string, { passed: number, total: number }>} groups
 * @property {{ id: string, reason: string }[]} failures
 */

/**
 * The rows that were asked for, by id or group; all without words. Words that name nothing are told apart.
 * @param {readonly string[]} ids
 * @param {readonly string[]} words
 * @returns {{ chosen: string[], unknown: string[] }}
 */
export function chooseRows(ids, words) {
  const wanted = words.map((word) => word.toUpperCase());
  const named = (/** @type {string} */ id) => wanted.some((word) => word === id || word === groupOf(id));
  return {
    chosen: words.length === 0 ? [...ids] : ids.filter(named),
    unknown: words.filter((_word, index) => !ids.some((id) => wanted[index] === id || wanted[index] === groupOf(id))),
  };
}

/**
 * The pattern for vitest's `-t`: the tests of these rows, and no others.
 * @param {readonly string[]} ids
 */
export function testNamePattern(ids) {
  return `(^|\\s)(${ids.join("|")}):\\s`;
}

/**
 * @param {readonly string[]} ids
 * @param {Report} report
 * @returns {Score}
 */
export function scoreOf(ids, report) {
  /** @type {Score} */
  const score = { groups: {}, failures: [] };
  for (const id of ids) {
    const group = (score.groups[groupOf(id)] ??= { passed: 0, total: 0 });
    group.total += 1;
    const reason = whyNot(id, report);
    if (reason === null) group.passed += 1;
    else score.failures.push({ id, reason });
  }
  return score;
}

/**
 * One line for each group, then one for each row that does not pass.
 * @param {Score} score
 */
export function scoreText({ groups, failures }) {
  const totals = Object.entries(groups).map(([group, { passed, total }]) => `${group} ${passed} / ${total}`);
  return [...totals, ...failures.map(({ id, reason }) => `${id}: ${reason}`)].join("\n");
}

/**
 * @param {string} id
 * @param {Report} report
 * @returns {string | null}
 */
function whyNot(id, { tests, errors }) {
  const mine = tests.filter(({ title }) => title.startsWith(`${id}: `));
  const failed = mine.filter(({ state }) => state === "failed");
  if (failed.length > 0) return failed.map(({ title, reason }) => `"${title}" failed: ${reason}`).join("; ");
  if (mine.some(({ state }) => state === "passed")) return null;
  const also = errors.length > 0 ? ` Errors of this run: ${errors.join("; ")}` : "";
  if (mine.length === 0) return `no test has this id.${also}`;
  return `skipped: ${mine.map(({ reason }) => reason ?? "no reason given").join("; ")}.${also}`;
}

/** @param {string} id */
function groupOf(id) {
  return id.slice(0, 1);
}
