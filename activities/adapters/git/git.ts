/** One `git` process on the worker's side: no shell, a clean environment, a time limit, an output limit, an end. */
import { spawn } from "node:child_process";
import { ConfigurationError, GitFailed, ServiceUnavailable } from "../../../domain/errors.ts";
import { redact } from "../../../domain/secrets.ts";
import { gitEnvironment, type ConfigEntry } from "./hardening.ts";

export interface GitCall {
  args: readonly string[];
  /** The bare repository; null only for `git init`. */
  gitDir: string | null;
  signal: AbortSignal;
  timeoutMs: number;
  /** Standard output beyond this ends the process. `stdoutCut` tells. */
  maxStdoutBytes: number;
  input?: Uint8Array | string;
  /** Added to the hardened environment. */
  env?: Readonly<Record<string, string>>;
  /** Added to the hardened configuration, by environment: never on the command line. */
  config?: readonly ConfigEntry[];
  /** Removed from everything that is told. */
  secrets?: readonly string[];
}

export interface GitResult {
  /** null: ended by a signal (ours at the output limit, or a crash). */
  exitCode: number | null;
  stdout: Buffer;
  stdoutCut: boolean;
  /** Its last 16 kB, without the secrets. */
  stderr: string;
}

const MAX_STDERR_BYTES = 16_384;
/** Git removes its lock files and temporary packs on SIGTERM; a process that does not end in this time is killed. */
const KILL_AFTER_MS = 3_000;

/**
 * Runs git to its end. An exit code other than 0 is a result, not an error.
 * @throws the signal's reason when aborted; ServiceUnavailable at the time limit; ConfigurationError without git.
 */
export function runGit(host: Readonly<Record<string, string | undefined>>, call: GitCall): Promise<GitResult> {
  call.signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const env = gitEnvironment(host, call);
    // Its own process group: `git fetch` has children (git-remote-https, index-pack) that must end with it.
    const child = spawn("git", [...call.args], {
      env,
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
      cwd: call.gitDir ?? "/",
    });
    const stdout: Buffer[] = [];
    let stdoutBytes = 0;
    let stdoutCut = false;
    let stderr = Buffer.alloc(0);
    let failure: unknown = null;
    let killer: NodeJS.Timeout | undefined;

    const stop = () => {
      killGroup(child.pid, "SIGTERM");
      killer ??= setTimeout(() => killGroup(child.pid, "SIGKILL"), KILL_AFTER_MS);
    };
    const onAbort = () => {
      failure ??= call.signal.reason;
      stop();
    };
    const timer = setTimeout(() => {
      failure ??= new ServiceUnavailable(
        "git",
        `git ${verb(call.args)} did not end within ${call.timeoutMs} ms and was stopped.`,
      );
      stop();
    }, call.timeoutMs);
    call.signal.addEventListener("abort", onAbort, { once: true });

    child.stdout.on("data", (chunk: Buffer) => {
      const room = call.maxStdoutBytes - stdoutBytes;
      if (chunk.length <= room) stdout.push(chunk);
      else if (!stdoutCut) {
        stdout.push(chunk.subarray(0, room));
        stdoutCut = true;
        stop();
      }
      stdoutBytes = Math.min(stdoutBytes + chunk.length, call.maxStdoutBytes);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-MAX_STDERR_BYTES);
    });
    // Git may end before it has read everything (EPIPE); its exit code then says why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(call.input ?? "");

    const settle = () => {
      clearTimeout(timer);
      clearTimeout(killer);
      call.signal.removeEventListener("abort", onAbort);
    };
    child.on("error", (cause: NodeJS.ErrnoException) => {
      settle();
      if (cause.code !== "ENOENT")
        reject(new GitFailed(verb(call.args), null, `git could not be started: ${cause.message}`, { cause }));
      else if (call.gitDir === null)
        reject(new ConfigurationError(["git was not found on PATH: install git 2.38 or newer."], { cause }));
      else
        reject(
          new ConfigurationError(
            [`git was not found on PATH, or the mirror ${call.gitDir} is gone: install git 2.38 or newer.`],
            { cause },
          ),
        );
    });
    child.on("close", (exitCode) => {
      settle();
      if (failure !== null) reject(failure as Error);
      else
        resolve({
          exitCode,
          stdout: Buffer.concat(stdout),
          stdoutCut,
          stderr: redact(stderr.toString("utf8"), call.secrets ?? []).trim(),
        });
    });
  });
}

/** Git's first word that is not an option: what an error calls the command, without its arguments. */
export function verb(args: readonly string[]): string {
  return args.find((arg) => !arg.startsWith("-")) ?? "";
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the group has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
