/** Git beneath the played GitHub: bare repositories, real merges. The trees come from pushes, so nothing of them runs. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Nothing of this machine's configuration, and no hooks. */
export const GIT_ENVIRONMENT: Readonly<Record<string, string>> = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
  GIT_CONFIG_COUNT: "3",
  GIT_CONFIG_KEY_0: "safe.directory",
  GIT_CONFIG_VALUE_0: "*",
  GIT_CONFIG_KEY_1: "core.hooksPath",
  GIT_CONFIG_VALUE_1: "/dev/null",
  GIT_CONFIG_KEY_2: "gc.auto",
  GIT_CONFIG_VALUE_2: "0",
};

export interface Author {
  name: string;
  email: string;
}

export class GitError extends Error {
  readonly exitCode: number;
  readonly stdout: string;
  constructor(args: readonly string[], exitCode: number, stdout: string, stderr: string) {
    super(`git ${args[0]} ended with ${exitCode}: ${stderr.trim() || stdout.trim()}`);
    this.exitCode = exitCode;
    this.stdout = stdout;
  }
}

export async function git(
  directory: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...GIT_ENVIRONMENT, ...options.env };
  const running = run("git", [...args], { cwd: directory, env, maxBuffer: 256 * 1024 * 1024 });
  // A command that ends before it has read its input is judged by its exit status.
  running.child.stdin?.on("error", () => undefined);
  running.child.stdin?.end(options.input ?? "");
  try {
    return (await running).stdout.trim();
  } catch (error) {
    const failed = error as { code?: number; stdout?: string; stderr?: string };
    if (typeof failed.code !== "number") throw error;
    throw new GitError(args, failed.code, failed.stdout ?? "", failed.stderr ?? "");
  }
}

export async function createBare(directory: string, defaultBranch: string): Promise<void> {
  await git("/", ["init", "--quiet", "--bare", `--initial-branch=${defaultBranch}`, directory]);
}

/** The commit of a branch, or null. */
export async function branchSha(directory: string, branch: string): Promise<string | null> {
  return (await branches(directory)).get(branch) ?? null;
}

export async function branches(directory: string): Promise<Map<string, string>> {
  const listed = await git(directory, ["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads"]);
  const lines = listed.split("\n").filter(Boolean);
  return new Map(lines.map((line) => [line.slice(line.indexOf(" ") + "refs/heads/".length + 1), line.split(" ")[0]!]));
}

export async function setRef(directory: string, ref: string, sha: string, old?: string): Promise<void> {
  await git(directory, ["update-ref", ref, sha, ...(old === undefined ? [] : [old])]);
}

/** True when `sha` is a commit of this repository. */
export async function hasCommit(directory: string, sha: string): Promise<boolean> {
  if (!/^[0-9a-f]{40}$/.test(sha)) return false;
  try {
    await git(directory, ["cat-file", "-e", `${sha}^{commit}`]);
    return true;
  } catch (error) {
    if (error instanceof GitError) return false;
    throw error;
  }
}

export async function countCommits(directory: string, base: string, head: string): Promise<number> {
  return Number(await git(directory, ["rev-list", "--count", `${base}..${head}`]));
}

export async function isAncestor(directory: string, ancestor: string, of: string): Promise<boolean> {
  return (await git(directory, ["rev-list", "--count", `${of}..${ancestor}`])) === "0";
}

/** The tree that a merge makes, or null on a conflict. */
export async function mergedTree(directory: string, base: string, head: string): Promise<string | null> {
  try {
    return (await git(directory, ["merge-tree", "--write-tree", base, head])).split("\n")[0] ?? null;
  } catch (error) {
    if (error instanceof GitError && error.exitCode === 1) return null;
    throw error;
  }
}

export async function diffStat(directory: string, base: string, head: string): Promise<DiffStat> {
  const lines = (await git(directory, ["diff", "--numstat", `${base}...${head}`])).split("\n").filter(Boolean);
  const sum = (column: number): number =>
    lines.reduce((total, line) => total + (Number(line.split("\t")[column]) || 0), 0);
  return { additions: sum(0), deletions: sum(1), changedFiles: lines.length };
}

export interface DiffStat {
  additions: number;
  deletions: number;
  changedFiles: number;
}

export async function commitTree(
  directory: string,
  commit: { tree: string; parents: readonly string[]; message: string; author: Author; date?: string },
): Promise<string> {
  const parents = commit.parents.flatMap((parent) => ["-p", parent]);
  return await git(directory, ["commit-tree", commit.tree, ...parents, "-F", "-"], {
    input: commit.message,
    env: identity(commit.author, commit.date),
  });
}

/** Replays the commits of `head` that `base` lacks; null on a conflict. */
export async function rebased(directory: string, base: string, head: string, author: Author): Promise<string | null> {
  const work = await mkdtemp(join(tmpdir(), "played-github-rebase-"));
  try {
    await git(directory, ["worktree", "add", "--quiet", "--detach", "--force", work, base]);
    const commits = (await git(directory, ["rev-list", "--reverse", "--no-merges", `${base}..${head}`]))
      .split("\n")
      .filter(Boolean);
    const env = { GIT_COMMITTER_NAME: author.name, GIT_COMMITTER_EMAIL: author.email };
    if (commits.length > 0)
      await git(work, ["cherry-pick", "--allow-empty", "--keep-redundant-commits", ...commits], { env });
    return await git(work, ["rev-parse", "HEAD"]);
  } catch (error) {
    if (error instanceof GitError && error.exitCode === 1) return null;
    throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
    await git(directory, ["worktree", "prune"]);
  }
}

/** A commit with these files changed (null: deleted) on top of `parent` (null: the first commit). */
export async function commitFiles(
  directory: string,
  parent: string | null,
  change: { files: Readonly<Record<string, string | null>>; message: string; author: Author; date?: string },
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "played-github-index-"));
  const env = { GIT_INDEX_FILE: join(folder, "index") };
  try {
    if (parent !== null) await git(directory, ["read-tree", parent], { env });
    for (const [path, content] of Object.entries(change.files)) {
      if (content === null) {
        await git(directory, ["update-index", "--force-remove", "--", path], { env });
        continue;
      }
      const file = join(folder, "content");
      await writeFile(file, content);
      const blob = await git(directory, ["hash-object", "-w", "--no-filters", "--", file]);
      await git(directory, ["update-index", "--add", "--cacheinfo", `100644,${blob},${path}`], { env });
    }
    const tree = await git(directory, ["write-tree"], { env });
    const parents = parent === null ? [] : [parent];
    return await commitTree(directory, { tree, parents, ...change });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Takes the content of a folder in as one first commit, whatever repository it may lie in. */
export async function importFolder(
  directory: string,
  folder: string,
  commit: { message: string; author: Author; date?: string },
): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), "played-github-index-"));
  const env = { GIT_INDEX_FILE: join(scratch, "index") };
  try {
    await git(folder, ["--git-dir", directory, "--work-tree", folder, "add", "--all", "--force", "."], { env });
    const tree = await git(directory, ["write-tree"], { env });
    return await commitTree(directory, { tree, parents: [], ...commit });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

export interface CommitFacts {
  tree: string;
  parents: string[];
  message: string;
  author: Author & { date: string };
  committer: Author & { date: string };
}

export async function readCommit(directory: string, sha: string): Promise<CommitFacts> {
  const format = "%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B";
  const shown = await git(directory, ["show", "--no-patch", `--format=${format}`, sha]);
  const [tree = "", parents = "", name = "", email = "", date = "", cName = "", cEmail = "", cDate = "", message = ""] =
    shown.split("\0");
  return {
    tree,
    parents: parents.split(" ").filter(Boolean),
    message,
    author: { name, email, date },
    committer: { name: cName, email: cEmail, date: cDate },
  };
}

function identity(author: Author, date = new Date().toISOString()): Record<string, string> {
  return {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
    GIT_COMMITTER_DATE: date,
  };
}
