/** A folder of its own for each test, with or without a `mergewright.yaml`, and what loading it gives. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { loadConfig, type LoadOptions } from "../../config/load.ts";
import { ConfigurationError } from "../../domain/errors.ts";

export let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "mw-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

export function load(env: Record<string, string> = {}, yaml?: string, more: Partial<LoadOptions> = {}) {
  if (yaml !== undefined) writeFileSync(join(cwd, "mergewright.yaml"), yaml);
  return loadConfig({ env, cwd, ...more });
}

export function problems(
  env: Record<string, string> = {},
  yaml?: string,
  more: Partial<LoadOptions> = {},
): readonly string[] {
  try {
    load(env, yaml, more);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}
