/** Test groups that need something of the machine: skipped, with the reason in their name, where it is not there. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe } from "vitest";
import { findDockerEngine } from "../../scripts/setup/docker-engine.mjs";

const engine = await findDockerEngine();
const chromium = findChromium();

/** Path of a Chromium or Chrome for page tests, or null. `CHROMIUM` names one. */
export function chromiumPath(): string | null {
  return chromium;
}

export const describeDocker = describeIf(engine.kind === "answers" ? null : `no Docker engine: ${engine.reason}`);
export const describeChromium = describeIf(chromium ? null : "no Chromium on the PATH; CHROMIUM may name one");

/** `describe`, or, with a reason, a skipped group that tells it. */
export function describeIf(missing: string | null): (name: string, body: () => void) => void {
  return (name, body) => {
    if (missing === null) describe(name, body);
    else describe.skip(`${name} (skipped: ${missing})`, body);
  };
}

function findChromium(): string | null {
  const named = process.env["CHROMIUM"];
  if (named) return named;
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of names) if (existsSync(join(directory, name))) return join(directory, name);
  }
  return null;
}
