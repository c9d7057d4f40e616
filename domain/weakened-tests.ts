/** Signs that a change makes the tests prove less: removed, skipped, fewer assertions, other expected values. */
import { isTestPath } from "./paths.ts";
import type { ChangeSet } from "./change.ts";
import { readPatch, type PatchFile } from "./patch.ts";

export interface Weakening {
  path: string;
  detail: string;
}

export function findWeakenedTests(change: Pick<ChangeSet, "files" | "patch">): Weakening[] {
  const found: Weakening[] = [];
  for (const { path, oldPath, status } of change.files) {
    if (status === "deleted" && isTestPath(path)) found.push({ path, detail: "a test file is deleted" });
    if (status === "renamed" && oldPath !== null && isTestPath(oldPath) && !isTestPath(path)) {
      found.push({ path: oldPath, detail: `a test file is moved to ${path}, where it is no test any more` });
    }
  }
  for (const file of readPatch(change.patch)) {
    const path = file.newPath;
    if (path === null || !isTestPath(path)) continue;
    for (const detail of weakenings(file)) found.push({ path, detail });
  }
  return found;
}

function weakenings(file: PatchFile): string[] {
  const found: string[] = [];
  const removed = code(file.removed);
  const added = code(file.added);
  const skips = count(added, SKIP) - count(removed, SKIP);
  if (skips > 0)
    found.push(`${times(skips, "test is", "tests are")} newly skipped, or run alone so that others are not`);
  const hollow = added.filter((line) => HOLLOW.test(line)).length;
  if (hollow > 0) found.push(`${times(hollow, "assertion holds", "assertions hold")} always`);
  // A new file has nothing to weaken.
  if (file.oldPath === null) return found;
  const assertions = count(removed, ASSERTION) - (count(added, ASSERTION) - hollow);
  if (assertions > 0) found.push(`${times(assertions, "assertion", "assertions")} fewer than before`);
  const tests = count(removed, TEST) - count(added, TEST);
  if (tests > 0) found.push(`${times(tests, "test", "tests")} fewer than before`);
  const values = changedValues(removed, added);
  if (values > 0)
    found.push(
      `${times(values, "existing assertion expects", "existing assertions expect")} another value than before`,
    );
  return found;
}

/** `it.only` among a hundred tests hides ninety-nine: it counts like a skip. */
const SKIP = new RegExp(
  [
    String.raw`\b(?:it|test|describe|context|suite|bench)(?:\.\w+)*\.(?:skip|only|todo|fixme|skipIf|runIf)\b`,
    String.raw`\b(?:x|f)(?:it|describe|context|specify|test)\s*\(`,
    String.raw`\b(?:this|t|ctx|context)\.skip\s*\(`,
    String.raw`\b(?:skip|todo|only)\s*:\s*(?:true|["'\x60])`,
    String.raw`\bpytest\.(?:mark\.)?(?:skip|skipif|xfail|importorskip)\b`,
    String.raw`@(?:unittest\.)?(?:skip|skipIf|skipUnless|expectedFailure)\b|\bself\.skipTest\s*\(|\braise\s+(?:unittest\.)?SkipTest\b|\bcollect_ignore`,
    String.raw`\b[tbf]\.Skip(?:f|Now)?\s*\(`,
    String.raw`#\[\s*(?:ignore|cfg\(\s*any\(\s*\)\s*\))`,
    String.raw`@(?:Disabled|Ignore|DisabledIf\w*|EnabledIf\w*)\b|\bassume(?:True|That|False)\s*\(`,
    String.raw`\[\s*(?:Ignore|Explicit)\b|\bSkip\s*=\s*"|\bAssert\.(?:Ignore|Inconclusive)\b`,
    String.raw`\bmarkTest(?:Skipped|Incomplete)\s*\(`,
    String.raw`^\s*(?:skip|pending)(?:\s+["'(]|\s*$)|^\s*(?:xit|xdescribe|xcontext|fit|fdescribe)\s+["']`,
  ].join("|"),
);

const ASSERTION = new RegExp(
  [
    String.raw`\bassert\w*\s*[.(!\s]`,
    String.raw`\bAssert(?:ions)?\.\w+`,
    String.raw`\bexpect\w*\s*[(.{]`,
    String.raw`\.should\b|\bshould\.|\.must_\w+|\.to(?:Be|Equal|Have|Throw|Match|Contain|Strict)\w*\s*\(`,
    String.raw`\b(?:t|b)\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow|equal|is|deepEqual|ok|same|throws|truthy|falsy|like)\s*\(`,
    String.raw`\brequire\.[A-Z]\w*\s*\(`,
    String.raw`\bself\.(?:assert|fail)\w*\s*\(|\bpytest\.(?:raises|warns|approx)\b`,
    String.raw`\b(?:refute|flunk)\w*\s*[( ]|\bverify\s*\(|\$this->assert\w+`,
  ].join("|"),
);

const TEST = new RegExp(
  [
    String.raw`\b(?:it|test|specify)(?:\.(?:each|concurrent|sequential))?\s*[(\x60]`,
    String.raw`^\s*(?:async\s+)?def\s+test_?\w*|^\s*(?:it|test|specify)\s+["']`,
    String.raw`^\s*func\s+(?:\([^)]*\)\s*)?Test\w+|\bt\.Run\s*\(`,
    String.raw`#\[\s*(?:\w+::)?test\b|@(?:Test|ParameterizedTest|RepeatedTest)\b|\[\s*(?:Test|TestCase|Fact|Theory|TestMethod)\b`,
    String.raw`\bfunction\s+test\w+`,
  ].join("|"),
);

/** Assertions of a constant: they count for nothing. */
const HOLLOW =
  /\bassert\s+(?:True|1)\s*(?:$|[,#])|\bassert(?:True)?\s*\(\s*(?:true|True|1)\s*[,)]|\bassert!\s*\(\s*true\s*\)|\bassert\.(?:ok|isTrue|True)\s*\(\s*(?:t\s*,\s*)?true\s*[,)]|\bexpect\s*\(\s*(true|false|null|\d{1,9}|"[^"]{0,40}"|'[^']{0,40}')\s*\)\s*\.(?:to\.)?(?:be|equal|eql|toBe|toEqual|toStrictEqual|toBeTruthy|true)\s*(?:\(\s*(?:\1)?\s*\)|;|$)/i;

/** An assertion that is the same but for its literals: the expectation was fitted to the result. */
function changedValues(removed: string[], added: string[]): number {
  const shapes = new Map<string, { lines: Set<string>; left: number }>();
  for (const line of removed.filter((one) => ASSERTION.test(one))) {
    const known = shapes.get(shape(line)) ?? { lines: new Set(), left: 0 };
    known.lines.add(line.trim());
    known.left += 1;
    shapes.set(shape(line), known);
  }
  let changed = 0;
  for (const line of added.filter((one) => ASSERTION.test(one))) {
    const before = shapes.get(shape(line));
    if (!before || before.left === 0 || before.lines.has(line.trim())) continue;
    before.left -= 1;
    changed += 1;
  }
  return changed;
}

function shape(line: string): string {
  return line
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "§")
    .replace(/-?\b\d[\w.]*/g, "§")
    .replace(/\b(?:true|false|null|nil|None|True|False|undefined)\b/g, "§")
    .replace(/\s+/g, "");
}

/** Longer lines are data, and would only keep the expressions busy. */
const MAX_LINE = 2_000;

function code(lines: string[]): string[] {
  return lines.filter((line) => line.length <= MAX_LINE && !/^\s*(?:\/\/|#(?!\[)|\*|\/\*)/.test(line));
}

function count(lines: string[], pattern: RegExp): number {
  return lines.filter((line) => pattern.test(line)).length;
}

function times(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
