/** Starts the real program once set-up is done, and ends as it ended. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SetupError } from "./errors.mjs";
import { root } from "./set-up.mjs";

/**
 * Runs a program of this repository, TypeScript or not, with the person's own terminal. Resolves with the exit code, 128 + n after
 * signal n.
 * @param {string} file Relative to the repository.
 * @param {readonly string[]} parameters
 * @param {Record<string, string>} [env]
 * @returns {Promise<number>}
 */
export function startProgram(file, parameters, env = {}) {
  const tsx = createRequire(join(root, "package.json")).resolve("tsx");
  return start(["--import", pathToFileURL(tsx).href, join(root, file), ...parameters], env);
}

/**
 * @param {readonly string[]} parameters What Node is given.
 * @param {Record<string, string>} [env]
 * @param {import("node:child_process").StdioOptions} [stdio]
 * @returns {Promise<number>}
 */
export function start(parameters, env = {}, stdio = "inherit") {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, parameters, { cwd: root, stdio, env: { ...process.env, ...env } });
    // A terminal sends Ctrl-C to both of us; whoever sends a signal to us alone means the program.
    const ignore = () => {};
    const hand = () => child.kill("SIGTERM");
    process.on("SIGINT", ignore);
    process.on("SIGTERM", hand);
    process.on("SIGHUP", hand);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      process.off("SIGINT", ignore).off("SIGTERM", hand).off("SIGHUP", hand);
      resolve(code ?? 128 + ({ SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[/** @type {string} */ (signal)] ?? 0));
    });
  });
}

/**
 * Runs a command of ours: a SetupError is told in its own words, anything else with its stack.
 * @param {() => Promise<number>} command
 */
export async function main(command) {
  try {
    process.exitCode = await command();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}
