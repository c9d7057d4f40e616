/** How a repository runs all its tests, found from its files alone. A setting (`test_command`) goes before all of this. */
import { isTestPath } from "./paths.ts";
import { headOf } from "./text.ts";

export interface RepositoryFiles {
  /** All paths of the commit. */
  paths: readonly string[];
  /** The text of one of them; null when it cannot be had. */
  read(path: string): Promise<string | null> | string | null;
}

export interface TestCommand {
  command: string;
  /** In one sentence: what in the repository says so. */
  why: string;
}

/**
 * A test script in package.json, pytest or unittest tests, go.mod, Cargo.toml, pom.xml, build.gradle, or a test target in a Makefile;
 * null when there is none of them.
 */
export async function detectTestCommand(files: RepositoryFiles): Promise<TestCommand | null> {
  const known = new Set(files.paths);
  for (const folders of candidateFolders(files.paths)) {
    const found: (TestCommand & { folder: string })[] = [];
    for (const folder of folders) {
      const command = await inFolder({ files, known, folder });
      if (command) found.push({ ...command, folder });
    }
    if (found.length > 0) return together(found);
  }
  return null;
}

/** More parts than this are no layout that we understand; the setting is for those. */
const MAX_FOLDERS_AT_ONCE = 8;
const MAX_DEPTH = 3;
const NOT_A_PROJECT =
  /^(?:node_modules|vendor|third_party|dist|build|target|examples?|demos?|samples?|docs?|fixtures|templates?|\..*)$/i;
const MANIFEST =
  /^(?:package\.json|pyproject\.toml|setup\.py|setup\.cfg|pytest\.ini|tox\.ini|go\.mod|Cargo\.toml|pom\.xml|build\.gradle|build\.gradle\.kts|Makefile)$/;

/** The root alone first, then what stands deeper, by depth. */
function candidateFolders(paths: readonly string[]): string[][] {
  const byDepth: Set<string>[] = [new Set([""])];
  for (const path of paths) {
    const parts = path.split("/");
    const name = parts.pop()!;
    if (parts.length === 0 || parts.length > MAX_DEPTH || !MANIFEST.test(name)) continue;
    if (parts.some((part) => NOT_A_PROJECT.test(part)) || isTestPath(`${parts.join("/")}/x`)) continue;
    (byDepth[parts.length] ??= new Set()).add(parts.join("/"));
  }
  return [...byDepth].map((folders) => [...(folders ?? [])].sort().slice(0, MAX_FOLDERS_AT_ONCE));
}

function together(found: (TestCommand & { folder: string })[]): TestCommand {
  const placed = found.map(({ command, folder }) => (folder === "" ? command : `cd ${quote(folder)} && ${command}`));
  const command = placed.length === 1 ? placed[0]! : placed.map((one) => `(${one})`).join(" && ");
  return { command, why: found.map(({ why, folder }) => (folder === "" ? why : `in ${folder}: ${why}`)).join("; ") };
}

/** A folder's name is text from outside, and this becomes a shell command. */
function quote(text: string): string {
  const safe = /^[A-Za-z0-9_./@+-]+$/.test(text) && !text.startsWith("-");
  return safe ? text : `'./${text.replaceAll("'", String.raw`'\''`)}'`;
}

interface Place {
  files: RepositoryFiles;
  known: ReadonlySet<string>;
  folder: string;
}

async function inFolder(place: Place): Promise<TestCommand | null> {
  for (const detect of [node, python, go, rust, maven, gradle, make]) {
    const found = await detect(place);
    if (found) return found;
  }
  return null;
}

function at({ folder }: Place, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

function has(place: Place, ...names: string[]): string | null {
  return names.find((name) => place.known.has(at(place, name))) ?? null;
}

async function read(place: Place, name: string): Promise<string> {
  return has(place, name) === null ? "" : ((await place.files.read(at(place, name))) ?? "");
}

/** Paths below the folder, relative to it. */
function below({ files, folder }: Place): string[] {
  if (folder === "") return [...files.paths];
  return files.paths.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1));
}

async function node(place: Place): Promise<TestCommand | null> {
  if (has(place, "package.json") === null) return null;
  const manifest = parse(await read(place, "package.json"));
  const script = text(record(manifest["scripts"])["test"]);
  const manager = packageManager(place, text(manifest["packageManager"]));
  // What `npm init` writes is no test.
  if (script !== "" && !/no test specified/i.test(script)) {
    return {
      command: manager === "bun" ? "bun run test" : `${manager} test`,
      why: `package.json has a test script (${shortened(script)}), and ${managerWhy(manager)}`,
    };
  }
  const several = manifest["workspaces"] !== undefined || has(place, "pnpm-workspace.yaml") !== null;
  if (several && below(place).some((path) => /^[^/]+\/(?:.*\/)?package\.json$/.test(path))) {
    const tested = await anyWorkspaceTests(place);
    if (tested) {
      const command = {
        pnpm: "pnpm -r test",
        yarn: "yarn workspaces foreach --all run test",
        bun: "bun run --filter '*' test",
        npm: "npm test --workspaces --if-present",
      }[manager];
      return { command, why: `package.json has workspaces, and ${tested} has a test script` };
    }
  }
  const tests = below(place).filter((path) => /[._-]test\.[cm]?js$/.test(path) && !path.includes("node_modules/"));
  for (const path of tests.slice(0, 5)) {
    if (/["']node:test["']/.test(await read(place, path)))
      return { command: "node --test", why: `${path} uses node:test, and package.json has no test script` };
  }
  return null;
}

type Manager = "npm" | "pnpm" | "yarn" | "bun";

function packageManager(place: Place, declared: string): Manager {
  const name = /^(npm|pnpm|yarn|bun)@/.exec(declared)?.[1] as Manager | undefined;
  if (name) return name;
  if (has(place, "pnpm-lock.yaml", "pnpm-workspace.yaml")) return "pnpm";
  if (has(place, "yarn.lock")) return "yarn";
  if (has(place, "package-lock.json", "npm-shrinkwrap.json")) return "npm";
  if (has(place, "bun.lock", "bun.lockb")) return "bun";
  // A part of a monorepo is run by what the root is run by.
  return place.folder === "" ? "npm" : packageManager({ ...place, folder: "" }, "");
}

function managerWhy(manager: Manager): string {
  return manager === "npm"
    ? "nothing names another package manager than npm"
    : `its lock file or packageManager names ${manager}`;
}

async function anyWorkspaceTests(place: Place): Promise<string | null> {
  const manifests = below(place).filter(
    (path) => /^[^/]+\/(?:[^/]+\/)?package\.json$/.test(path) && !path.includes("node_modules/"),
  );
  for (const path of manifests.slice(0, 20)) {
    const script = text(record(parse(await read(place, path))["scripts"])["test"]);
    if (script !== "" && !/no test specified/i.test(script)) return path;
  }
  return null;
}

/**
 * pytest also runs unittest's tests, so it is the choice wherever it is named or the tests need it; unittest, which is always there, where
 * the tests name it and nothing names pytest.
 */
async function python(place: Place): Promise<TestCommand | null> {
  const pytest = (why: string) => ({ command: "python3 -m pytest", why });
  if (has(place, "pytest.ini", ".pytest.ini")) return pytest("pytest.ini is there");
  const named: [string, RegExp][] = [
    ["pyproject.toml", /\[tool\.pytest|["']pytest\b|^\s*pytest\s*=/m],
    ["setup.cfg", /\[tool:pytest\]|^\s*pytest\b/m],
    ["tox.ini", /\[pytest\]|\bpytest\b/],
    ["setup.py", /["']pytest\b/],
    ["Pipfile", /^\s*"?pytest"?\s*=/m],
    ...[
      "requirements.txt",
      "requirements-dev.txt",
      "dev-requirements.txt",
      "requirements_dev.txt",
      "test-requirements.txt",
      "requirements-test.txt",
      "requirements/dev.txt",
      "requirements/test.txt",
    ].map((name): [string, RegExp] => [name, /^\s*pytest\b/m]),
  ];
  for (const [name, pattern] of named) if (pattern.test(await read(place, name))) return pytest(`${name} names pytest`);

  const all = below(place);
  if (all.some((path) => /(?:^|\/)conftest\.py$/.test(path))) return pytest("a conftest.py is there");
  const tests = all.filter(
    (path) =>
      /(?:^|\/)(?:test_[^/]*|[^/]*_test|tests?)\.py$/.test(path) &&
      !/(?:^|\/)(?:node_modules|venv|\.venv|site-packages)\//.test(path),
  );
  if (tests.length === 0) return null;
  let unittest: string | null = null;
  for (const path of tests.slice(0, 10)) {
    const content = await read(place, path);
    if (/^\s*(?:import|from)\s+pytest\b/m.test(content) || /^(?:async )?def test/m.test(content))
      return pytest(`${path} is written for pytest`);
    if (/\bunittest\b/.test(content)) unittest ??= path;
  }
  if (unittest === null) return pytest(`${tests[0]} looks like a test`);
  const folder = tests[0]!.split("/").slice(0, -1)[0];
  const why = `${unittest} uses unittest, and nothing names pytest`;
  if (folder === undefined || tests.some((path) => path.split("/")[0] !== folder))
    return { command: "python3 -m unittest discover", why };
  // With `-t .` the tests can import the code beside them, but only from a package.
  const top = all.includes(`${folder}/__init__.py`) ? " -t ." : "";
  const pattern = tests.some((path) => !/(?:^|\/)test[^/]*\.py$/.test(path)) ? " -p '*test*.py'" : "";
  return { command: `python3 -m unittest discover -s ${quote(folder)}${top}${pattern}`, why };
}

async function go(place: Place): Promise<TestCommand | null> {
  return has(place, "go.mod") ? { command: "go test ./...", why: "go.mod is there" } : null;
}

async function rust(place: Place): Promise<TestCommand | null> {
  if (has(place, "Cargo.toml") === null) return null;
  const workspace = /^\s*\[workspace\]/m.test(await read(place, "Cargo.toml"));
  return workspace
    ? { command: "cargo test --workspace", why: "Cargo.toml is a workspace" }
    : { command: "cargo test", why: "Cargo.toml is there" };
}

async function maven(place: Place): Promise<TestCommand | null> {
  if (has(place, "pom.xml") === null) return null;
  return has(place, "mvnw")
    ? { command: "./mvnw -B test", why: "pom.xml and its wrapper are there" }
    : { command: "mvn -B test", why: "pom.xml is there" };
}

async function gradle(place: Place): Promise<TestCommand | null> {
  const file = has(place, "build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts");
  if (file === null) return null;
  return has(place, "gradlew")
    ? { command: "./gradlew test", why: `${file} and its wrapper are there` }
    : { command: "gradle test", why: `${file} is there` };
}

async function make(place: Place): Promise<TestCommand | null> {
  for (const name of ["GNUmakefile", "makefile", "Makefile"]) {
    const content = await read(place, name);
    for (const target of ["test", "tests", "check"]) {
      if (new RegExp(String.raw`^${target}\s*::?(?!=)`, "m").test(content))
        return { command: `make ${target}`, why: `${name} has the target ${target}` };
    }
  }
  return null;
}

/** A file that does not parse says nothing. */
function parse(json: string): Record<string, unknown> {
  try {
    return record(JSON.parse(json.replace(/^\ufeff/, "")));
  } catch {
    return {};
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

function shortened(script: string): string {
  const line = script.replace(/\s+/g, " ");
  return line.length > 80 ? `${headOf(line, 79)}…` : line;
}
