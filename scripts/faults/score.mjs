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
 * @property {{ file: string, reason: string }[]} fileErrors Of files that could not be loaded, and of their hooks.
 * @property {string[]} errors Outside of all files.
 */
/**
 * @typedef {object} Score
 * @property {Record<string, { passed: number, total: number }>} groups
 * @property {{ id: string, reason: string }[]} failures
 */

/**
 * The rows that were asked for, by id, group or range (`A5`, `C`, `A1-A4`); all without words. Words that name nothing are told apart.
 * @param {readonly string[]} ids
 * @param {readonly string[]} words
 * @returns {{ chosen: string[], unknown: string[] }}
 */
export function chooseRows(ids, words) {
  const wanted = words.flatMap((word) => word.split(","));
  return {
    chosen: words.length === 0 ? [...ids] : ids.filter((id) => wanted.some((word) => names(word, id))),
    unknown: wanted.filter((word) => !ids.some((id) => names(word, id))),
  };
}

/**
 * @param {string} word
 * @param {string} id
 */
function names(word, id) {
  const asked = word.trim().toUpperCase();
  const [, group, first, last] = /^([A-Z])(\d+)-\1?(\d+)$/.exec(asked) ?? [];
  if (group === undefined) return asked === id || asked === groupOf(id);
  const number = Number(id.slice(1));
  return group === groupOf(id) && Number(first) <= number && number <= Number(last);
}

/**
 * The pattern for vitest's `-t`: the tests of these rows, and no others.
 * @param {readonly string[]} ids
 */
export function testNamePattern(ids) {
  return `(^|\\s)(${ids.join("|")}):\\s`;
}

/**
 * The ids that a test file speaks of, read from its text: a file that does not load names no test.
 * @param {string} text
 */
export function idsIn(text) {
  return [
    ...new Set([...text.matchAll(/(["'`])([A-E]\d{1,2})(?=: |\1)/g)].map(([, , id]) => /** @type {string} */ (id))),
  ];
}

/**
 * @param {readonly string[]} ids
 * @param {Report} report
 * @param {Readonly<Record<string, readonly string[]>>} idsOfFiles What `idsIn` found, by file.
 * @returns {Score} What went wrong outside of all files is a failure of `all`: nobody knows which rows it spoiled.
 */
export function scoreOf(ids, report, idsOfFiles) {
  /** @type {Score} */
  const score = { groups: {}, failures: report.errors.map((reason) => ({ id: "all", reason })) };
  for (const id of ids) {
    const group = (score.groups[groupOf(id)] ??= { passed: 0, total: 0 });
    group.total += 1;
    const reason = whyNot(id, report, idsOfFiles);
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
 * @param {Readonly<Record<string, readonly string[]>>} idsOfFiles
 * @returns {string | null}
 */
function whyNot(id, { tests, fileErrors }, idsOfFiles) {
  const mine = tests.filter(({ title }) => title.startsWith(`${id}: `));
  const seenIn = new Set(mine.map(({ file }) => file));
  const expectedIn = Object.keys(idsOfFiles).filter((file) => idsOfFiles[file]?.includes(id));
  const wrong = [
    ...mine.filter(({ state }) => state === "failed").map(({ title, reason }) => `"${title}" failed: ${reason}`),
    // A hook's error leaves the tests of its file passed: what it looked after may be what this row is about.
    ...fileErrors
      .filter(({ file }) => seenIn.has(file) || expectedIn.includes(file))
      .map(({ file, reason }) => `${file}: ${reason}`),
    ...expectedIn.filter((file) => !seenIn.has(file)).map((file) => `${file} told of none of its tests of this row`),
  ];
  if (wrong.length > 0) return wrong.join("; ");
  if (mine.some(({ state }) => state === "passed")) return null;
  if (mine.length === 0) return "no test has this id.";
  return `skipped: ${mine.map(({ reason }) => reason ?? "no reason given").join("; ")}.`;
}

/** @param {string} id */
function groupOf(id) {
  return id.slice(0, 1);
}
