/** What the parts of the mirror share: where a mirror stands, and git run in it with the usual limits. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { GitFailed, NotFound, ServiceUnavailable } from "../../../domain/errors.ts";
import { temporaryName } from "../leftovers.ts";
import type { RunGitProcess } from "./apart.ts";
import { lastLines } from "./faults.ts";
import { runGit, verb, type GitCall, type GitResult } from "./git.ts";
import type { Remote } from "./remote.ts";

export interface Limits {
  /** One fetch or push, in milliseconds. */
  networkTimeoutMs: number;
  /** One command that only touches the disk, in milliseconds. */
  localTimeoutMs: number;
  /** The largest bundle taken in or made, in bytes. */
  maxBundleBytes: number;
  /** The most that a listing or a set of files may be, in bytes. */
  maxListingBytes: number;
}

export type Extra = Partial<Pick<GitCall, "input" | "env" | "config" | "secrets" | "maxStdoutBytes" | "timeoutMs">>;

export interface Tools {
  readonly limits: Limits;
  /** Any exit code is a result. */
  run(gitDir: string | null, args: readonly string[], signal: AbortSignal, extra?: Extra): Promise<GitResult>;
  /** @throws NotFound for an unknown object, ServiceUnavailable for a full disk, GitFailed for the rest. */
  ok(gitDir: string | null, args: readonly string[], signal: AbortSignal, extra?: Extra): Promise<Buffer>;
}

export function createTools(
  host: Readonly<Record<string, string | undefined>>,
  limits: Limits,
  runProcess?: RunGitProcess,
): Tools {
  const run: Tools["run"] = (gitDir, args, signal, extra = {}) =>
    runGit(
      host,
      {
        gitDir,
        args,
        signal,
        timeoutMs: limits.localTimeoutMs,
        maxStdoutBytes: limits.maxListingBytes,
        ...extra,
      },
      runProcess,
    );
  return {
    limits,
    run,
    async ok(gitDir, args, signal, extra) {
      const result = await run(gitDir, args, signal, extra);
      if (result.stdoutCut) {
        throw new GitFailed(
          verb(args),
          null,
          `git ${verb(args)} printed more than ${extra?.maxStdoutBytes ?? limits.maxListingBytes} bytes and was stopped.`,
        );
      }
      if (result.exitCode !== 0) throw localFault(verb(args), result);
      return result.stdout;
    },
  };
}

/** For a command that talks to the other side. */
export function overNetwork({ limits }: Tools, { config, secrets }: Remote): Extra {
  return { config, secrets, timeoutMs: limits.networkTimeoutMs };
}

export function localFault(command: string, result: GitResult): Error {
  const said = lastLines(result.stderr);
  if (
    /bad object|bad revision|unknown revision|not a valid (object|commit) name|not a tree object|could not get object info|invalid object/i.test(
      result.stderr,
    )
  ) {
    return new NotFound(
      "commit",
      `The mirror does not hold what git ${command} was asked for: ${said} Fetch the branch, or take the sandbox's bundles again, on this machine.`,
    );
  }
  if (/no space left on device/i.test(result.stderr)) {
    return new ServiceUnavailable("git", `The worker's disk is full: ${said} Make room under MERGEWRIGHT_HOME.`);
  }
  return new GitFailed(
    command,
    result.exitCode,
    `git ${command} failed on the worker: ${said || `exit code ${result.exitCode}`}`,
  );
}

/** Beside git's own files in a mirror: our lock, and what is only there while something is taken in or written. */
export function ownFolder(gitDir: string): string {
  return join(gitDir, "mergewright");
}

export const SCRATCH = "scratch";

/** A folder that is gone when `work` ends, however it ends. */
export async function withScratch<T>(gitDir: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(ownFolder(gitDir), temporaryName(SCRATCH));
  await mkdir(folder, { recursive: true });
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
