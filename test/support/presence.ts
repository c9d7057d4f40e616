/** Test groups that need something of the machine: skipped, with the reason in their name, where it is not there. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe } from "vitest";
import { findDockerEngine } from "../../scripts/setup/docker-engine.mjs";
import { namesOfImage } from "../../scripts/setup/image-operations.mjs";

const engine = await findDockerEngine();
/** The image that Docker tests use: what `npm test` found or made, else the product's default. */
export const sandboxImage = process.env["DOCKER_IMAGE"] ?? "mergewright-sandbox:latest";
const chromium = findChromium();

/** Path of a Chromium or Chrome for page tests, or null. `CHROMIUM` names one. */
export function chromiumPath(): string | null {
  return chromium;
}

export const describeDocker = describeIf(await whyNoDocker());
export const describeChromium = describeIf(chromium ? null : "no Chromium on the PATH; CHROMIUM may name one");

/** `describe`, or, with a reason, a skipped group that tells it. */
export function describeIf(missing: string | null): (name: string, body: () => void) => void {
  return (name, body) => {
    if (missing === null) describe(name, body);
    else describe.skip(`${name} (skipped: ${missing})`, body);
  };
}

async function whyNoDocker(): Promise<string | null> {
  if (engine.kind === "none") return `no Docker engine: ${engine.reason}`;
  const has = (await namesOfImage(engine, sandboxImage)) !== null;
  return has ? null : `the engine has no image ${sandboxImage}; \`npm test\` makes it`;
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
