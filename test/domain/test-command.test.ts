import { describe, expect, it } from "vitest";
import { detectTestCommand } from "../../domain/test-command.ts";

const manifest = (test?: string, more: object = {}) =>
  JSON.stringify({ ...(test === undefined ? {} : { scripts: { test } }), ...more });
const NONE = 'echo "Error: no test specified" && exit 1';
const commandOf = async (files: Record<string, string>) =>
  (await detectTestCommand({ paths: Object.keys(files), read: (path) => files[path] ?? null }))?.command ?? null;

describe("the test command", () => {
  it.each<[string, Record<string, string>, string | null]>([
    ["npm by default", { "package.json": manifest("vitest run") }, "npm test"],
    ["npm by its lock file", { "package.json": manifest("x"), "package-lock.json": "" }, "npm test"],
    ["pnpm by its lock file", { "package.json": manifest("x"), "pnpm-lock.yaml": "" }, "pnpm test"],
    ["yarn by its lock file", { "package.json": manifest("x"), "yarn.lock": "" }, "yarn test"],
    ["bun by its lock file", { "package.json": manifest("x"), "bun.lockb": "" }, "bun run test"],
    [
      "packageManager before lock files",
      { "package.json": manifest("x", { packageManager: "pnpm@9.1.0" }), "yarn.lock": "" },
      "pnpm test",
    ],
    ["not what npm init writes", { "package.json": manifest(NONE) }, null],
    ["a package.json that does not parse", { "package.json": "{" }, null],
    ["a package.json of odd types", { "package.json": '{"scripts":{"test":7}}' }, null],
    ["a package.json that is no object", { "package.json": "null" }, null],
    [
      "node's own runner where no script names it",
      { "package.json": manifest(), "a.test.js": 'import test from "node:test"' },
      "node --test",
    ],
    [
      "npm workspaces",
      { "package.json": manifest(undefined, { workspaces: ["a"] }), "a/package.json": manifest("x") },
      "npm test --workspaces --if-present",
    ],
    [
      "pnpm workspaces",
      { "package.json": manifest(), "pnpm-workspace.yaml": "", "packages/a/package.json": manifest("x") },
      "pnpm -r test",
    ],
    ["pytest.ini", { "pytest.ini": "" }, "python3 -m pytest"],
    ["pytest in pyproject.toml's table", { "pyproject.toml": "[tool.pytest.ini_options]\n" }, "python3 -m pytest"],
    ["pytest in pyproject.toml's dependencies", { "pyproject.toml": 'dev = ["pytest>=8"]' }, "python3 -m pytest"],
    ["pytest in setup.cfg", { "setup.cfg": "[tool:pytest]\n" }, "python3 -m pytest"],
    ["pytest in tox.ini", { "tox.ini": "commands = pytest\n" }, "python3 -m pytest"],
    ["pytest in requirements", { "requirements-dev.txt": "black\npytest==8\n" }, "python3 -m pytest"],
    ["a conftest.py", { "tests/conftest.py": "" }, "python3 -m pytest"],
    ["tests as plain functions", { "tests/test_a.py": "def test_a():\n    assert 1\n" }, "python3 -m pytest"],
    [
      "unittest where nothing names pytest",
      { "tests/test_a.py": "import unittest\n" },
      "python3 -m unittest discover -s tests",
    ],
    [
      "unittest in a package",
      { "tests/__init__.py": "", "tests/test_a.py": "import unittest\n" },
      "python3 -m unittest discover -s tests -t .",
    ],
    ["unittest beside the code", { "test_a.py": "import unittest\n" }, "python3 -m unittest discover"],
    ["no Python tests", { "pyproject.toml": "[project]\n", "a.py": "" }, null],
    ["go", { "go.mod": "module x" }, "go test ./..."],
    ["cargo", { "Cargo.toml": "[package]" }, "cargo test"],
    ["a cargo workspace", { "Cargo.toml": "[workspace]\n" }, "cargo test --workspace"],
    ["maven's wrapper", { "pom.xml": "", mvnw: "" }, "./mvnw -B test"],
    ["maven", { "pom.xml": "" }, "mvn -B test"],
    ["gradle's wrapper", { "build.gradle.kts": "", gradlew: "" }, "./gradlew test"],
    ["gradle", { "build.gradle": "" }, "gradle test"],
    ["make", { Makefile: "build:\n\ttrue\ntest: build\n\t./run\n" }, "make test"],
    ["make check", { Makefile: "check:\n\t./run\n" }, "make check"],
    ["no target but a variable", { Makefile: "test := 1\n" }, null],
    ["the language before make", { Makefile: "test:\n", "go.mod": "" }, "go test ./..."],
    ["the root before its parts", { "package.json": manifest("x"), "api/go.mod": "" }, "npm test"],
    ["a part where the root has none", { "README.md": "", "api/go.mod": "" }, "cd api && go test ./..."],
    [
      "all parts of one depth",
      { "api/go.mod": "", "web/package.json": manifest("x"), "web/yarn.lock": "" },
      "(cd api && go test ./...) && (cd web && yarn test)",
    ],
    ["a part with an odd name", { "it's $(odd)/go.mod": "" }, String.raw`cd './it'\''s $(odd)' && go test ./...`],
    [
      "not what is vendored, an example or a fixture",
      { "node_modules/a/package.json": manifest("x"), "examples/b/go.mod": "", "tests/c/package.json": manifest("x") },
      null,
    ],
    ["nothing", {}, null],
  ])("is found: %s", async (_, files, command) => expect(await commandOf(files)).toBe(command));

  it("comes with what in the repository says so", async () => {
    const files: Record<string, string> = { "package.json": manifest("vitest run") };
    expect(
      (await detectTestCommand({ paths: ["package.json"], read: async (path) => files[path] ?? null }))?.why,
    ).toContain("vitest run");
  });

  it("is found when a file cannot be read", async () => {
    expect(await detectTestCommand({ paths: ["package.json", "go.mod"], read: () => null })).toEqual({
      command: "go test ./...",
      why: "go.mod is there",
    });
  });
});
