import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureDependencies } from "../../scripts/setup/dependencies.mjs";
import { silentLog } from "../../scripts/setup/progress.mjs";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "mergewright-deps-"));
  await writeLock("1.0.0");
  // Stands in for npm: writes down that it ran, takes a moment, and leaves npm's own record behind.
  const script = `
    import { appendFileSync, mkdirSync, copyFileSync } from "node:fs";
    appendFileSync("calls", process.argv.slice(2).join(" ") + "\\n");
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (process.env.NPM_FAILS) { console.error("npm error code E500\\nnpm error the registry is on fire"); process.exit(1); }
    mkdirSync("node_modules", { recursive: true });
    copyFileSync("package-lock.json", "node_modules/.package-lock.json");`;
  await writeFile(join(root, "npm.mjs"), script);
});
afterEach(async () => {
  delete process.env["NPM_FAILS"];
  await rm(root, { recursive: true, force: true });
});

function writeLock(version: string): Promise<void> {
  const packages = { "": { name: "x" }, "node_modules/a": { version, integrity: `sha512-${version}` } };
  return writeFile(join(root, "package-lock.json"), JSON.stringify({ lockfileVersion: 3, packages }));
}
const ensure = () => ensureDependencies({ root, log: silentLog, npm: [process.execPath, join(root, "npm.mjs")] });
const calls = async () =>
  existsSync(join(root, "calls")) ? (await readFile(join(root, "calls"), "utf8")).trim().split("\n") : [];

test("dependencies are installed once and found the second time", async () => {
  expect(await ensure()).toBe("installed");
  expect(await ensure()).toBe("present");
  expect(await calls()).toEqual(["ci --include=dev --no-audit --no-fund"]);
});

test("a changed lock file is installed again", async () => {
  await ensure();
  await writeLock("2.0.0");
  expect(await ensure()).toBe("installed");
});

test("what a person installed by hand is taken as it is, when it is what the lock file says", async () => {
  await mkdir(join(root, "node_modules"));
  await writeFile(join(root, "node_modules", ".package-lock.json"), await readFile(join(root, "package-lock.json")));
  expect(await ensure()).toBe("present");
  expect(await calls()).toEqual([]);
});

test("two at once install once", async () => {
  expect((await Promise.all([ensure(), ensure()])).toSorted()).toEqual(["installed", "present"]);
  expect(await calls()).toHaveLength(1);
});

test("an installation whose process died is made again, even where it left everything in place", async () => {
  await mkdir(join(root, "node_modules"));
  await writeFile(join(root, "node_modules", ".package-lock.json"), await readFile(join(root, "package-lock.json")));
  const { pid } = spawnSync("true");
  const { hostname } = await import("node:os");
  await mkdir(join(root, ".mergewright"));
  await writeFile(
    join(root, ".mergewright", "dependencies.lock"),
    JSON.stringify({ pid, host: hostname(), token: "dead" }),
  );
  expect(await ensure()).toBe("installed");
  expect(existsSync(join(root, ".mergewright", "dependencies.lock"))).toBe(false);
});

test("a failure is tried once more and then told in npm's words", async () => {
  process.env["NPM_FAILS"] = "1";
  await expect(ensure()).rejects.toThrow(/the registry is on fire/);
  expect(await calls()).toHaveLength(2);
});
