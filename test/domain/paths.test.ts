import { describe, expect, it } from "vitest";
import { isTestPath, matchesAny, normalisePath } from "../../domain/paths.ts";
import { Policy } from "../../domain/settings.ts";

describe("a path has one spelling", () => {
  it.each([
    ["src/index.js", "src/index.js"],
    ["./src//lib/../index.js", "src/index.js"],
    ["..\\.git\\config", "../.git/config"],
    ["a/../../b", "../b"],
    [".GitHub/Workflows/CI.yml", ".github/workflows/ci.yml"],
    [".ｇｉｔｈｕｂ/workflows/x", ".github/workflows/x"], // full-width letters
    [".git\u200chub/workflows/x", ".github/workflows/x"], // zero-width non-joiner
    [".github./workflows /x", ".github/workflows/x"],
    [".git::$INDEX_ALLOCATION/config", ".git/config"],
    ["GIT~1/config", ".git/config"],
    ["CODEOWNERſ", "codeowners"], // long s
    ["\u212aey", "key"], // the sign of kelvin
    ["stra\u00dfe", "strasse"],
    ["", ""],
  ])("%j is %j", (path, expected) => expect(normalisePath(path)).toBe(expected));

  it("stays as it is when normalised again", () => {
    for (const path of ["İ/x", "ǅ", "a. . /b", "ﬁ/..:x"])
      expect(normalisePath(normalisePath(path))).toBe(normalisePath(path));
  });
});

describe("globs", () => {
  it.each([
    [".github/workflows/**", ".github/workflows/deep/ci.yml", true],
    [".github/workflows/**", ".github/workflows", true],
    [".github/workflows/**", ".github/WORKFLOWS/ci.yml", true],
    [".github/workflows/**", "x/.github/workflows/ci.yml", false],
    [".github/workflows/**", ".github/workflows-old/ci.yml", false],
    ["**/CODEOWNERS", "CODEOWNERS", true],
    ["**/CODEOWNERS", "docs/codeowners", true],
    ["**/CODEOWNERS", "docs/codeowners.md", false],
    ["*.lock", "yarn.lock", true],
    ["*.lock", "sub/yarn.lock", false],
    ["**/*.lock", "sub/yarn.lock", true],
    ["*", ".env", true],
    ["a/**/z", "a/z", true],
    ["a/**/z", "a/b/c/z", true],
    ["a/*/z", "a/b/c/z", false],
    ["**", "anything/at/all", true],
    ["{src,lib}/*.{js,ts}", "lib/x.ts", true],
    ["{src,lib}/*.{js,ts}", "lib/x.py", false],
    ["file?.[ch]", "file1.c", true],
    ["file?.[!ch]", "file1.c", false],
    ["v[0-9]", "v7", true],
    ["/secrets/", "secrets/a/b", true],
    ["./x", "x", true],
    ["a[", "a[", true],
  ])("%j on %j: %j", (glob, path, expected) => expect(matchesAny([glob], path)).toBe(expected));

  it("are decided at once on a path made to be slow", () => {
    const began = Date.now();
    expect(matchesAny(["**/a*a*a*a*a*a*a*a*b/**/**/**/c", "{a,b}".repeat(40)], `${"a".repeat(200)}/`.repeat(20))).toBe(
      false,
    );
    expect(Date.now() - began).toBeLessThan(1000);
  });

  it.each([
    ".github/workflows/ci.yml",
    "docs/CodeOwners",
    "pkg/agents.md",
    ".Claude/settings.json",
    ".husky/pre-commit",
    "a/.gitattributes",
    ".gitmodules",
    ".mcp.json",
  ])("the default policy protects %s", (path) => expect(matchesAny(Policy.parse({}).protected_paths, path)).toBe(true));
});

describe("a test is known by its path", () => {
  it.each([
    "src/sum.test.js",
    "src/sum.spec.tsx",
    "src/__tests__/sum.js",
    "test/helpers/server.ts",
    "test.mjs",
    "e2e/login.ts",
    "cypress/e2e/login.cy.js",
    "test_sum.py",
    "pkg/sum_test.py",
    "tests/data/input.json",
    "conftest.py",
    "pkg/tests.py",
    "pkg/sum_test.go",
    "pkg/testdata/golden.txt",
    "tests/integration.rs",
    "src/parser/tests.rs",
    "src/test/java/com/acme/SumTest.java",
    "src/test/resources/x.xml",
    "app/src/androidTest/kotlin/X.kt",
    "core/SumTests.kt",
    "core/TestSum.java",
    "spec/models/user_spec.rb",
    "spec/support/helpers.rb",
    "spec/fixtures/user.yml",
    "test/test_helper.rb",
    "Acme.Core.Tests/Sum.cs",
    "src/SumTests.cs",
    "tests/Unit/SumTest.php",
  ])("%s is one", (path) => expect(isTestPath(path)).toBe(true));

  it.each([
    "src/sum.js",
    "src/latest/index.js",
    "src/contest.py",
    "attestation.go",
    "src/testing.rs",
    "src/main/java/com/acme/Contest.java",
    "src/main/java/Latest.java",
    "spec/openapi.yaml",
    "tests/README.md",
    "docs/testing.md",
    "src/protest.ts",
    "src/inspect.rb",
    "Manifest.cs",
    "",
  ])("%j is none", (path) => expect(isTestPath(path)).toBe(false));
});
