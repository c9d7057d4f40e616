/**
 * One git process, started from this Node process and read to its end. Plain JavaScript: `spawner.mjs` runs it with no
 * compiler and nothing else loaded.
 *
 * @typedef {object} GitOrder
 * @property {readonly string[]} args
 * @property {NodeJS.ProcessEnv} env
 * @property {string} cwd
 * @property {Uint8Array | string} input
 * @property {number} maxStdoutBytes Standard output beyond this ends the process.
 *
 * @typedef {object} GitEnd
 * @property {number | null} exitCode null: ended by a signal.
 * @property {Uint8Array} stdout
 * @property {boolean} stdoutCut
 * @property {Uint8Array} stderr Its last 16 kB.
 */
import { spawn } from "node:child_process";

const MAX_STDERR_BYTES = 16_384;
/** Git removes its lock files and temporary packs on SIGTERM; a process that does not end in this time is killed. */
const KILL_AFTER_MS = 3_000;

/**
 * Resolves when it has ended, by itself or because `stop` said so; rejects with Node's error when it cannot be started.
 * @param {GitOrder} order
 * @param {AbortSignal} stop
 * @returns {Promise<GitEnd>}
 */
export function runGitProcess({ args, env, cwd, input, maxStdoutBytes }, stop) {
  return new Promise((resolve, reject) => {
    // Its own process group: `git fetch` has children (git-remote-https, index-pack) that must end with it.
    const child = spawn("git", [...args], { env, cwd, stdio: ["pipe", "pipe", "pipe"], detached: true });
    /** @type {Buffer[]} */
    const stdout = [];
    let stdoutBytes = 0;
    let stdoutCut = false;
    /** @type {Buffer} */
    let stderr = Buffer.alloc(0);
    /** @type {NodeJS.Timeout | undefined} */
    let killer;

    const end = () => {
      killGroup(child.pid, "SIGTERM");
      killer ??= setTimeout(() => killGroup(child.pid, "SIGKILL"), KILL_AFTER_MS);
    };
    const settle = () => {
      clearTimeout(killer);
      stop.removeEventListener("abort", end);
    };
    stop.addEventListener("abort", end, { once: true });

    child.stdout.on("data", (/** @type {Buffer} */ chunk) => {
      const room = maxStdoutBytes - stdoutBytes;
      if (chunk.length <= room) stdout.push(chunk);
      else if (!stdoutCut) {
        stdout.push(chunk.subarray(0, room));
        stdoutCut = true;
        end();
      }
      stdoutBytes = Math.min(stdoutBytes + chunk.length, maxStdoutBytes);
    });
    child.stderr.on("data", (/** @type {Buffer} */ chunk) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-MAX_STDERR_BYTES);
    });
    // Git may end before it has read everything (EPIPE); its exit code then says why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.on("error", (error) => {
      settle();
      reject(error);
    });
    child.on("close", (exitCode) => {
      settle();
      resolve({ exitCode, stdout: Buffer.concat(stdout), stdoutCut, stderr });
    });
    if (stop.aborted) end();
  });
}

/**
 * @param {number | undefined} pid
 * @param {NodeJS.Signals} signal
 */
function killGroup(pid, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the group has ended by itself.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ESRCH") throw error;
  }
}
