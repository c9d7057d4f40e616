/** One `git` process on the worker's side: no shell, a clean environment, a time limit, an output limit, an end. */
import { ConfigurationError, GitFailed, MergewrightError, ServiceUnavailable } from "../../../domain/errors.ts";
import { redact } from "../../../domain/secrets.ts";
import type { RunGitProcess } from "./apart.ts";
import { type GitOrder, runGitProcess } from "./git-process.mjs";
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

/**
 * Runs git to its end. An exit code other than 0 is a result, not an error.
 * @throws the signal's reason when aborted; ServiceUnavailable at the time limit; ConfigurationError without git.
 */
export async function runGit(
  host: Readonly<Record<string, string | undefined>>,
  call: GitCall,
  run: RunGitProcess = runGitProcess,
): Promise<GitResult> {
  call.signal.throwIfAborted();
  const overdue = new AbortController();
  const timer = setTimeout(() => overdue.abort(), call.timeoutMs);
  const order: GitOrder = {
    args: call.args,
    env: gitEnvironment(host, call),
    cwd: call.gitDir ?? "/",
    input: call.input ?? "",
    maxStdoutBytes: call.maxStdoutBytes,
  };
  try {
    const { exitCode, stdout, stdoutCut, stderr } = await run(
      order,
      AbortSignal.any([call.signal, overdue.signal]),
    ).catch((error: unknown) => {
      throw notStarted(error, call);
    });
    call.signal.throwIfAborted();
    if (overdue.signal.aborted) {
      const what = `git ${verb(call.args)} did not end within ${call.timeoutMs} ms and was stopped.`;
      throw new ServiceUnavailable("git", what);
    }
    return {
      exitCode,
      stdout: asBuffer(stdout),
      stdoutCut,
      stderr: redact(asBuffer(stderr).toString("utf8"), call.secrets ?? []).trim(),
    };
  } finally {
    clearTimeout(timer);
  }
}

/** What Node says when there is no process, in the words of who must mend it; any other error as it is. */
function notStarted(cause: unknown, { args, gitDir }: GitCall): unknown {
  if (cause instanceof MergewrightError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code !== "ENOENT") return new GitFailed(verb(args), null, `git could not be started: ${message}`, { cause });
  const orGone = gitDir === null ? "" : `, or the mirror ${gitDir} is gone`;
  return new ConfigurationError([`git was not found on PATH${orGone}: install git 2.38 or newer.`], { cause });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Git's first word that is not an option: what an error calls the command, without its arguments. */
export function verb(args: readonly string[]): string {
  return args.find((arg) => !arg.startsWith("-")) ?? "";
}
