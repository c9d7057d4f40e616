/** Runs another program for a set-up step, with its output line by line and a time limit. */
import { spawn } from "node:child_process";

/**
 * @typedef {object} CommandEnd
 * @property {number | null} exitCode null: it was ended by a signal (`timedOut` says whether by ours) or never started.
 * @property {boolean} timedOut
 * @property {string} output Standard output and error, in the order in which they came, at most the last 64 kB.
 * @property {string} lastLine The last line with text: where most programs say what went wrong.
 */

const KEPT_CHARACTERS = 64 * 1024;

/**
 * Never throws: a program that cannot be started ends with `exitCode: null` and the reason as its output.
 * @param {string} program
 * @param {readonly string[]} parameters
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs: number, onLine?: (line: string) => void }} options
 * @returns {Promise<CommandEnd>}
 */
export function runCommand(program, parameters, { cwd, env, timeoutMs, onLine }) {
  return new Promise((resolve) => {
    let output = "";
    let rest = "";
    let timedOut = false;
    const child = spawn(program, parameters, {
      cwd: cwd ?? process.cwd(),
      env: env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    /** @param {string} text */
    const take = (text) => {
      output = (output + text).slice(-KEPT_CHARACTERS);
      const lines = (rest + text).split(/\r?\n/);
      rest = lines.pop() ?? "";
      if (onLine) for (const line of lines) if (line.trim()) onLine(line.trim());
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", take);
    }
    /** @param {number | null} exitCode */
    const finish = (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, timedOut, output, lastLine: lastLineOf(output) });
    };
    child.on("error", (error) => {
      output += error.message;
      finish(null);
    });
    child.on("close", finish);
  });
}

/** @param {string} text */
function lastLineOf(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  return (lines.at(-1) ?? "").trim();
}
