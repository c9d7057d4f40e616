/** The port `Mirror`: one bare repository for each GitHub repository, under one folder of the worker's machine. */
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { NotFound, RequestRefused } from "../../../domain/errors.ts";
import type { RepositoryName } from "../../../domain/ids.ts";
import type { Mirror } from "../../../domain/ports.ts";
import type { RunGitProcess } from "./apart.ts";
import { writeBundleHead } from "./bundle.ts";
import { temporaryName } from "../leftovers.ts";
import { diff } from "./diff.ts";
import { fetchBranch } from "./fetch.ts";
import { drop, kept } from "./kept.ts";
import { withLock } from "./lock.ts";
import { mergeBase, mergeTree } from "./merge.ts";
import { checkCommit, mirrorFolder } from "./names.ts";
import { push } from "./push.ts";
import { withRedirect, openRemote, type Remote } from "./remote.ts";
import { openSourceRepository } from "./source.ts";
import { FROM_SANDBOX, FROM_UPSTREAM, take } from "./take.ts";
import { createTools, ownFolder, type Limits } from "./tools.ts";
import { HALF_MADE, isMirror, type KnownMirror, mirrorsIn, removeLeftoversOfMirrors, tidy } from "./tidy.ts";
import { authors, commit, files, holds, overlay, paths } from "./tree.ts";

export interface MirrorOptions extends Partial<Limits> {
  /** The folder of all mirrors; `OWNER/NAME.git` is made below it. */
  dir: string;
  /** The worker's environment. Git gets PATH, proxy and certificate settings of it and nothing else. */
  env: Readonly<Record<string, string | undefined>>;
  /** Asked before each fetch and push; null or empty: without. */
  token: (repository: RepositoryName) => Promise<string | null>;
  /** Hosts, besides this machine, that may be reached by plain http: `HOST` or `HOST:PORT`. */
  httpHosts?: readonly string[];
  /** Lets `file://` addresses be fetched and pushed: for tests. */
  allowFileUrls?: boolean;
  /** How git is started; by this process unless said otherwise. */
  runProcess?: RunGitProcess;
}

export interface GitMirror extends Mirror {
  /** Commits that no run needs any more, or all of them: `git gc` may have them. */
  release(repository: RepositoryName, commits: readonly string[] | "all", signal: AbortSignal): Promise<void>;
  /** Packs the mirror, and removes what nothing has needed for two weeks. For upkeep: it may take minutes. */
  tidy(repository: RepositoryName, signal: AbortSignal): Promise<void>;
  /** The mirrors on this machine. */
  mirrors(): Promise<KnownMirror[]>;
  /** Removes what killed processes have left, and frees the locks that they held. Nothing of a living one is touched. */
  removeLeftovers(signal: AbortSignal): Promise<string[]>;
}

const DEFAULTS: Limits = {
  networkTimeoutMs: 15 * 60_000,
  localTimeoutMs: 5 * 60_000,
  maxBundleBytes: 512 * 1024 * 1024,
  maxListingBytes: 64 * 1024 * 1024,
};

export function createMirror(options: MirrorOptions): GitMirror {
  const { dir: given, env, httpHosts = [], allowFileUrls = false, token, runProcess, ...own } = options;
  // Git runs inside the mirror, where a relative path would mean something else.
  const dir = resolve(given);
  const limits: Limits = { ...DEFAULTS, ...own };
  const tools = createTools(env, limits, runProcess);
  const rules = { httpHosts, allowFileUrls };

  /** A mirror that exists. @throws NotFound before the first fetch on this machine. */
  async function existing(repository: RepositoryName): Promise<string> {
    const gitDir = join(dir, mirrorFolder(repository));
    if (await isMirror(gitDir)) return gitDir;
    throw new NotFound(
      "mirror",
      `There is no mirror of ${repository} on this machine yet: fetch its base branch first.`,
    );
  }

  async function made(repository: RepositoryName, signal: AbortSignal): Promise<string> {
    const gitDir = join(dir, mirrorFolder(repository));
    if (!(await isMirror(gitDir))) {
      // Made beside and moved into place at once: a half-made mirror is never seen.
      const fresh = join(dirname(gitDir), temporaryName(HALF_MADE));
      await mkdir(dirname(gitDir), { recursive: true });
      try {
        await tools.ok(
          null,
          ["init", "--bare", "--quiet", "--template=", "--initial-branch=none", "--", fresh],
          signal,
        );
        await rename(fresh, gitDir).catch(async (error: unknown) => {
          if (!(await isMirror(gitDir))) throw error;
        });
      } finally {
        await rm(fresh, { recursive: true, force: true });
      }
    }
    return gitDir;
  }

  async function remoteOf(repository: RepositoryName, cloneUrl: string): Promise<Remote> {
    // The address is judged before a token is asked for.
    openRemote(cloneUrl, null, rules);
    return openRemote(cloneUrl, await token(repository), rules);
  }

  return {
    async fetch(repository, cloneUrl, branch, signal) {
      const remote = await remoteOf(repository, cloneUrl);
      const gitDir = await made(repository, signal);
      return withLock(join(ownFolder(gitDir), "lock"), signal, () =>
        withRedirect(remote, "git-upload-pack", rules, signal, (to) =>
          fetchBranch(tools, gitDir, to, repository, branch, signal),
        ),
      );
    },

    async has(repository, commitId, signal) {
      const gitDir = join(dir, mirrorFolder(repository));
      const tip = checkCommit(commitId, "The commit");
      return (await isMirror(gitDir)) && holds(tools, gitDir, tip, signal);
    },

    async bundle(repository, commitId, without, signal) {
      const gitDir = await existing(repository);
      const tip = checkCommit(commitId, "The commit");
      const known = without === null ? [] : [checkCommit(without, "The commit that is left out")];
      const args = ["pack-objects", "--stdout", "--revs", "--delta-base-offset", "--quiet"];
      const result = await tools.run(gitDir, args, signal, {
        input: `${tip}\n${known.map((each) => `^${each}\n`).join("")}`,
        maxStdoutBytes: limits.maxBundleBytes,
      });
      if (result.stdoutCut) {
        throw new RequestRefused(
          "git",
          413,
          `The history of ${repository} is larger than ${limits.maxBundleBytes} bytes, the most that goes into a sandbox.`,
        );
      }
      if (result.exitCode !== 0)
        throw new NotFound(
          "commit",
          `The mirror of ${repository} does not hold ${tip} with its history: fetch the base branch first.`,
        );
      return new Uint8Array(Buffer.concat([writeBundleHead(tip, "refs/heads/base", known), result.stdout]));
    },

    take: async (repository, bundle, signal) => take(tools, await existing(repository), bundle, FROM_SANDBOX, signal),
    restore: async (repository, bundle, signal) =>
      take(tools, await made(repository, signal), bundle, FROM_UPSTREAM, signal),
    diff: async (repository, base, head, signal) => diff(tools, await existing(repository), base, head, signal),
    files: async (repository, commitId, wanted, signal) =>
      files(tools, await existing(repository), commitId, wanted, signal),
    source: async (repository) => openSourceRepository(env, await existing(repository)),
    paths: async (repository, commitId, signal) => paths(tools, await existing(repository), commitId, signal),
    authors: async (repository, base, head, signal) => authors(tools, await existing(repository), base, head, signal),
    commit: async (repository, input, signal) => commit(tools, await existing(repository), input, signal),
    merge: async (repository, { ours, theirs }, signal) =>
      mergeTree(tools, await existing(repository), ours, theirs, signal),
    mergeBase: async (repository, one, other, signal) =>
      mergeBase(tools, await existing(repository), one, other, signal),
    overlay: async (repository, input, signal) => overlay(tools, await existing(repository), input, signal),

    async push(repository, cloneUrl, input, signal) {
      const remote = await remoteOf(repository, cloneUrl);
      const gitDir = await existing(repository);
      return withRedirect(remote, "git-receive-pack", rules, signal, (to) =>
        push(tools, gitDir, to, repository, input, signal),
      );
    },

    async release(repository, commits, signal) {
      const gitDir = join(dir, mirrorFolder(repository));
      if (!(await isMirror(gitDir))) return;
      const ids =
        commits === "all" ? await kept(tools, gitDir, signal) : commits.map((one) => checkCommit(one, "A commit"));
      if (ids.length > 0) await drop(tools, gitDir, ids, signal);
    },

    async tidy(repository, signal) {
      const gitDir = await existing(repository);
      await withLock(join(ownFolder(gitDir), "lock"), signal, () => tidy(tools, gitDir, signal));
    },

    mirrors: () => mirrorsIn(dir),
    removeLeftovers: (signal) => removeLeftoversOfMirrors(dir, signal),
  };
}
