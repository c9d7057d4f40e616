import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mergewright-lint-"));
  for (const file of [".oxlintrc.json", "tsconfig.json", "package.json"])
    copyFileSync(join(root, file), join(folder, file));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the linter says of a file at this place in the repository; empty when it is content. */
function lint(path: string, source: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, source);
  const program = join(folder, "node_modules", "oxlint", "bin", "oxlint");
  const { stdout, status } = spawnSync(process.execPath, [program, "--format=unix", path], {
    cwd: folder,
    encoding: "utf8",
  });
  rmSync(file);
  return status === 0 ? "" : stdout;
}

const forbidden = [
  ["domain/x.ts", 'import { readFile } from "node:fs/promises";'],
  ["domain/x.ts", 'import { run } from "../workflows/run.ts";'],
  ["workflows/x.ts", 'import { z } from "zod";'],
  ["workflows/x.ts", 'import { Plan } from "../domain/outputs.ts";'],
  ["workflows/x.ts", 'import { createActivities } from "../activities/index.ts";'],
  ["workflows/x.ts", 'import { randomUUID } from "node:crypto";'],
  ["activities/x.ts", 'import { Octokit } from "@octokit/rest";'],
  ["activities/adapters/y/x.ts", 'import { ApplicationFailure } from "@temporalio/common";'],
  ["activities/adapters/y/x.ts", 'import { resolveIssue } from "../../../workflows/resolve-issue.ts";'],
  ["agents/x.ts", 'import { Octokit } from "@octokit/rest";'],
  ["api/x.ts", 'import { createActivities } from "../activities/index.ts";'],
  ["api/x.ts", 'import { resolveIssue } from "../workflows/resolve-issue.ts";'],
  ["memory/x.ts", 'import { Client } from "@temporalio/client";'],
] as const;
test.each(forbidden)("%s may not say %s", (path, statement) => {
  const name = /\{ (\w+) \}/.exec(statement)?.[1];
  expect(lint(path, `${statement}\nexport const kept = ${name};\n`)).toMatch(/no-restricted-imports/);
});

const allowed = [
  ["domain/x.ts", 'import { z } from "zod";'],
  ["workflows/x.ts", 'import { sleep } from "@temporalio/workflow";'],
  ["workflows/x.ts", 'import { branchName } from "../domain/ids.ts";'],
  ["workflows/x.ts", 'import type { Plan } from "../domain/outputs.ts";'],
  ["activities/adapters/y/x.ts", 'import { RateLimited } from "../../../domain/errors.ts";'],
  ["api/x.ts", 'import { statusQuery } from "../workflows/messages.ts";'],
  ["workers/x.ts", 'import { Octokit } from "@octokit/rest";'],
] as const;
test.each(allowed)("%s may say %s", (path, statement) => {
  const name = /\{ (\w+) \}/.exec(statement)?.[1];
  const use = statement.startsWith("import type") ? `export type Kept = ${name};` : `export const kept = ${name};`;
  expect(lint(path, `${statement}\n${use}\n`)).toBe("");
});

test("a forgotten await on an activity is found", () => {
  const source = `import { proxyActivities, sleep } from "@temporalio/workflow";
const { push } = proxyActivities<{ push(): Promise<void> }>({ startToCloseTimeout: "1 minute" });
export async function story(): Promise<void> {
  push();
  sleep(1000);
  await push();
}
`;
  expect(lint("workflows/x.ts", source).match(/no-floating-promises/g)).toHaveLength(2);
});

test("the environment is read in config/ only", () => {
  const source = "export const token = process.env.GITHUB_TOKEN;\n";
  expect(lint("workers/x.ts", source)).toMatch(/no-process-env/);
  expect(lint("config/x.ts", source)).toBe("");
});
