import { describe, expect, it } from "vitest";
import type { ChangedFile, ChangeSet } from "../../domain/change.ts";
import { judgeChange } from "../../domain/policy.ts";
import { Policy } from "../../domain/settings.ts";

const policy = Policy.parse({});
const file = (path: string, more: Partial<ChangedFile> = {}): ChangedFile => ({
  path,
  oldPath: null,
  status: "modified",
  oldMode: "100644",
  newMode: "100644",
  additions: 1,
  deletions: 1,
  newBytes: 100,
  ...more,
});
const change = (files: ChangedFile[], patch = "", patchTruncated = false): ChangeSet => ({
  base: "a",
  head: "b",
  files,
  patch,
  patchTruncated,
});
const rules = (...args: Parameters<typeof judgeChange>) =>
  judgeChange(...args).violations.map(({ rule, severity }) => `${severity} ${rule}`);
const hunk = (path: string, removed: string[], added: string[], isNew = false) =>
  [
    `diff --git a/${path} b/${path}`,
    isNew ? "--- /dev/null" : `--- a/${path}`,
    `+++ b/${path}`,
    `@@ -1,${removed.length} +1,${added.length} @@`,
    ...removed.map((line) => `-${line}`),
    ...added.map((line) => `+${line}`),
    "",
  ].join("\n");

describe("the change policy", () => {
  it.each<[string, ChangedFile[], string[]]>([
    ["lets an ordinary change through", [file("src/a.js"), file("test/a.test.js", { status: "added" })], []],
    ["refuses an empty change", [], ["refuse empty"]],
    ["refuses a workflow", [file(".github/workflows/ci.yml")], ["refuse protected-path"]],
    ["refuses a protected path in other letters", [file(".GitHub/Workflows/ci.yml")], ["refuse protected-path"]],
    [
      "refuses a protected path in compatibility forms",
      [file(".ｇｉｔｈｕｂ/workflows/ci.yml")],
      ["refuse protected-path"],
    ],
    [
      "refuses a move away from a protected path",
      [file("x.yml", { oldPath: ".github/workflows/ci.yml", status: "renamed" })],
      ["refuse protected-path"],
    ],
    [
      "refuses a move onto a protected path",
      [file("docs/CODEOWNERS", { oldPath: "x", status: "renamed" })],
      ["refuse protected-path"],
    ],
    [
      "refuses to delete a protected path",
      [file("AGENTS.md", { status: "deleted", newMode: "000000" })],
      ["refuse protected-path"],
    ],
    [
      "refuses a protected folder made a link",
      [file(".claude", { newMode: "120000", status: "added" })],
      ["refuse protected-path", "refuse symlink"],
    ],
    ["refuses Git's own folder at any depth", [file("a/.GIT/config")], ["refuse protected-path"]],
    ["refuses links", [file("a", { newMode: "120000" })], ["refuse symlink"]],
    ["refuses a file made a link", [file("a", { newMode: "120000", status: "type-changed" })], ["refuse symlink"]],
    ["refuses submodules", [file("vendor/x", { newMode: "160000", status: "added" })], ["refuse submodule"]],
    [
      "lets links and submodules be removed",
      [file("a", { oldMode: "120000", newMode: "000000", status: "deleted" })],
      [],
    ],
    ["refuses binaries", [file("a.png", { additions: null, deletions: null })], ["refuse binary"]],
    [
      "lets a binary be removed",
      [file("a.png", { additions: null, deletions: null, newMode: "000000", newBytes: 0, status: "deleted" })],
      [],
    ],
    ["refuses odd modes", [file("a", { newMode: "100664" })], ["refuse odd-mode"]],
    ["lets a file become executable", [file("run.sh", { newMode: "100755" })], []],
    ["refuses big files", [file("a.txt", { newBytes: 1_000_001 })], ["refuse big-file"]],
    ["refuses too many files", Array.from({ length: 51 }, (_, index) => file(`f${index}`)), ["refuse too-many-files"]],
    ["refuses too many lines", [file("a", { additions: 1_500, deletions: 501 })], ["refuse too-many-lines"]],
    ["refuses control characters in a name", [file("a\nb")], ["refuse odd-path"]],
    ["refuses a backslash in a name", [file("..\\x")], ["refuse odd-path"]],
    ["refuses names that only look different", [file("A.js"), file("a.js", { status: "added" })], ["refuse odd-path"]],
    ["lets a name change its case", [file("a.js", { oldPath: "A.js", status: "renamed" })], []],
    ["asks about package.json", [file("package.json")], ["ask-human controls"]],
    [
      "asks about lock files",
      [file("sub/pnpm-lock.yaml"), file("Cargo.lock")],
      ["ask-human controls", "ask-human controls"],
    ],
    ["asks about what configures the tests", [file("vitest.config.ts")], ["ask-human controls"]],
    [
      "asks about a deleted test",
      [file("test/a.test.js", { status: "deleted", newMode: "000000" })],
      ["ask-human weakened-tests"],
    ],
    [
      "asks about a test moved out of sight",
      [file("old/a.js", { oldPath: "test/a.test.js", status: "renamed" })],
      ["ask-human weakened-tests"],
    ],
  ])("%s", (_, files, expected) => expect(rules(change(files), policy)).toEqual(expected));

  it("follows the repository's own globs and limits", () => {
    const own = Policy.parse({
      protected_paths: ["secret/**"],
      max_files: 1,
      max_changed_lines: 1,
      max_file_bytes: 10,
    });
    expect(rules(change([file(".github/workflows/ci.yml", { additions: 0 }), file("Secret/a")]), own)).toEqual([
      "refuse too-many-files",
      "refuse too-many-lines",
      "ask-human controls",
      "refuse big-file",
      "refuse protected-path",
      "refuse big-file",
    ]);
  });

  it("asks when the patch was too long to be read whole", () => {
    expect(rules(change([file("a")], "", true), policy)).toEqual(["ask-human not-all-read"]);
  });

  it("lets an empty change pass where it is asked to", () =>
    expect(rules(change([]), policy, { allowEmpty: true })).toEqual([]));
});

describe("weakened tests are shown to a human", () => {
  it.each<[string, string, string[], string[]]>([
    ["it.skip", "a.test.js", ["it('a', f)"], ["it.skip('a', f)"]],
    ["describe.only", "a.test.ts", ["describe('a', f)"], ["describe.only('a', f)"]],
    ["xit", "a.spec.js", ["it('a', f)"], ["xit('a', f)"]],
    ["{ skip: true }", "a.test.mjs", ["test('a', f)"], ["test('a', { skip: true }, f)"]],
    ["pytest.mark.skip", "test_a.py", [], ["@pytest.mark.skip(reason='x')"]],
    ["pytest.mark.xfail", "test_a.py", [], ["@pytest.mark.xfail"]],
    ["unittest.skip", "test_a.py", [], ["@unittest.skip('x')"]],
    ["t.Skip", "a_test.go", [], ['\tt.Skip("later")']],
    ["#[ignore]", "tests/a.rs", [], ["#[ignore]"]],
    ["@Disabled", "src/test/java/ATest.java", [], ["    @Disabled"]],
    ["[Fact(Skip)]", "A.Tests/ATests.cs", ["[Fact]"], ['[Fact(Skip = "x")]']],
    ["markTestSkipped", "tests/ATest.php", [], ["$this->markTestSkipped('x');"]],
    ["rspec's pending", "spec/a_spec.rb", [], ["  pending 'x'"]],
    ["fewer assertions", "a.test.js", ["expect(a).toBe(1)", "expect(b).toBe(2)"], ["expect(a).toBe(1)"]],
    ["fewer assertions in Python", "test_a.py", ["    assert a == 1", "    assert b"], ["    pass"]],
    ["fewer assertions in Go", "a_test.go", ['if a != 1 { t.Errorf("x") }'], []],
    ["a removed test", "test_a.py", ["def test_a():", "    pass"], []],
    ["another expected value", "a.test.js", ["expect(sum(1, 2)).toBe(3)"], ["expect(sum(1, 2)).toBe(-1)"]],
    ["another expected text", "test_a.py", ["    assert name() == 'a'"], ["    assert name() == 'b'"]],
    ["an assertion of nothing", "test_a.py", ["    assert total == 3"], ["    assert True"]],
    ["an assertion of a constant", "a.test.js", ["expect(total).toBe(3)"], ["expect(true).toBe(true)"]],
  ])("%s", (_, path, removed, added) => {
    const found = judgeChange(
      change([file(path)], hunk(path, ["x()", ...removed], ["x()", ...added])),
      policy,
    ).violations;
    expect(found.map(({ rule, severity }) => `${severity} ${rule}`)).toContain("ask-human weakened-tests");
    expect(found.every((violation) => violation.path === path)).toBe(true);
  });

  it.each<[string, string, string[], string[], boolean]>([
    ["a new test file", "b.test.js", [], ["it('a', () => { expect(f()).toBe(1) })"], true],
    ["another assertion", "a.test.js", ["expect(a).toBe(1)"], ["expect(a).toBe(1)", "expect(b).toBe(2)"], false],
    ["a test that is switched on again", "a.test.js", ["it.skip('a', f)"], ["it('a', f)"], false],
    ["a skip that only moved", "a.test.js", ["it.skip('a', f)"], ["  it.skip('a', f)"], false],
    ["code that is no test", "src/a.js", ["assert(a)"], ["skip()"], false],
    ["a comment about skipping", "a.test.js", [], ["// it.skip('a') would hide this"], false],
    [
      "a changed call with the same expectation",
      "a.test.js",
      ["expect(sum(1, b)).toBe(3)"],
      ["expect(add(1, b)).toBe(3)"],
      false,
    ],
  ])("but not %s", (_, path, removed, added, isNew) => {
    const files = [file(path, isNew ? { status: "added" } : {})];
    expect(rules(change(files, hunk(path, removed, added, isNew)), policy)).toEqual([]);
  });

  it("also where a removed line looks like the head of a file", () => {
    const patch = hunk("a.test.js", ["-- a/x", "expect(a).toBe(1)"], ["++ b/src/x.js"]);
    expect(rules(change([file("a.test.js")], patch), policy)).toEqual(["ask-human weakened-tests"]);
  });

  it("at once in a patch made to be slow", () => {
    const began = Date.now();
    judgeChange(
      change(
        [file("a.test.js")],
        hunk(
          "a.test.js",
          Array.from({ length: 500 }, () => "expect(".repeat(280)),
          ["it".repeat(999), '"'.repeat(1999)],
        ),
      ),
      policy,
    );
    expect(Date.now() - began).toBeLessThan(3000);
  });
});
