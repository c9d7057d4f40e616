/** The first question of set-up, in words that the oldest Node that reads modules can print. */
import { readFileSync } from "node:fs";
import { SetupError } from "./errors.mjs";

/** Throws a SetupError when this Node is older than `engines` in package.json allows. */
export function checkNodeVersion(running = process.versions.node) {
  const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const needed = String(engines.node).replace(/^>=\s*/, "");
  const [major = 0, minor = 0] = running.split(".").map(Number);
  const [neededMajor = 0, neededMinor = 0] = needed.split(".").map(Number);
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return;
  throw new SetupError(
    `Node ${needed} or newer is needed, this is ${running}. Install it from https://nodejs.org or with your version manager.`,
  );
}
