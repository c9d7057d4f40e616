/** A repository as the memory reads it: tree, contents and history of a commit, by plumbing only. Works on any repository on this machine. */
import { access, readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { NotFound } from "../../../domain/errors.ts";
import type { CommitRecord, SourceRepository } from "../../../domain/memory-ports.ts";
import type { RunGitProcess } from "./apart.ts";
import { createTools, type Extra, type Limits } from "./tools.ts";

const LIMITS: Limits = {
  networkTimeoutMs: 1_000,
  localTimeoutMs: 300_000,
  maxBundleBytes: 0,
  // The tree of Linux prints 6 MB.
  maxListingBytes: 512 * 2 ** 20,
};

/**
 * The repository may be a stranger's, with a configuration of its own: what could start a program there is switched off again, a
 * missing object is an error and never fetched.
 */
const GUARD: Extra = {
  env: { GIT_ALLOW_PROTOCOL: "none", GIT_NO_LAZY_FETCH: "1" },
  config: [
    ["log.showSignature", "false"],
    ["diff.external", ""],
    ["core.sshCommand", "false"],
    ["core.alternateRefsCommand", "false"],
    ["i18n.logOutputEncoding", "UTF-8"],
  ],
};

export function openSourceRepository(
  host: Readonly<Record<string, string | undefined>>,
  gitDir: string,
  runProcess?: RunGitProcess,
): SourceRepository {
  const tools = createTools(host, LIMITS, runProcess);
  const git = async (args: readonly string[], signal: AbortSignal, extra: Extra = {}): Promise<Buffer> => {
    try {
      return await tools.ok(gitDir, args, signal, { ...GUARD, ...extra });
    } catch (cause) {
      // A partial clone would fetch here, and may not.
      if (!(cause instanceof NotFound) && !/promisor|missing blob/.test((cause as Error).message)) throw cause;
      throw new NotFound(
        "object",
        `${gitDir} lacks objects that git ${args[0]} was asked for. \`git fsck\` there tells which; fetch them, or clone it whole.`,
        { cause },
      );
    }
  };

  return {
    async resolve(revision, signal) {
      const { exitCode, stdout } = await tools.run(
        gitDir,
        ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`],
        signal,
        GUARD,
      );
      if (exitCode !== 0) {
        const nothing =
          revision === "HEAD" ? ": nothing is committed yet, or HEAD names a branch that is not there" : "";
        throw new NotFound("commit", `${gitDir} has no commit "${revision.slice(0, 80)}"${nothing}.`);
      }
      return stdout.toString("utf8").trim();
    },
    async tree(commit, signal) {
      const listing = await git(["ls-tree", "-r", "-z", "--end-of-options", commit], signal);
      const files = new Map<string, string>();
      for (const entry of listing.toString("utf8").split("\0")) {
        // MODE blob HASH\tPATH; links and submodules are not files.
        const match = /^100\d{3} blob ([0-9a-f]{40,64})\t(.+)$/s.exec(entry);
        if (match) files.set(match[2]!, match[1]!);
      }
      return files;
    },
    async sizes(blobs, signal) {
      const answer = await git(["cat-file", "--batch-check=%(objectname) %(objectsize)"], signal, {
        input: `${blobs.join("\n")}\n`,
      });
      const sizes = new Map<string, number>();
      for (const line of answer.toString("utf8").split("\n")) {
        const [name, size] = line.split(" ");
        if (name && size && /^\d+$/.test(size)) sizes.set(name, Number(size));
      }
      return sizes;
    },
    async contents(blobs, signal) {
      const answer = await git(["cat-file", "--batch"], signal, { input: `${blobs.join("\n")}\n` });
      return readBatch(answer);
    },
    async history(commit, limit, signal) {
      const listing = await git(
        ["rev-list", "--no-merges", `--max-count=${limit}`, "--end-of-options", commit],
        signal,
      );
      return listing.toString("utf8").split("\n").filter(Boolean);
    },
    async commits(hashes, signal) {
      const answer = await git(
        [
          "diff-tree",
          "--stdin",
          "--root",
          "--always",
          "-r",
          "-z",
          "--name-only",
          "--no-renames",
          "--no-ext-diff",
          "--format=%x01%H%x02%ct%x02%B%x03",
        ],
        signal,
        { input: `${hashes.join("\n")}\n` },
      );
      return readCommits(answer.toString("utf8"));
    },
  };
}

/** The repository in which a path stands: its bare folder, its `.git`, or what `.git` points to. */
export async function findGitDir(path: string): Promise<string> {
  const start = resolve(path);
  if (!(await isFolder(start))) throw new NotFound("folder", `There is no folder ${start}.`);
  for (let folder = start; ; folder = dirname(folder)) {
    const found = (await bare(folder)) ?? (await linked(join(folder, ".git")));
    if (found !== null) return found;
    if (dirname(folder) === folder)
      throw new NotFound("repository", `${start} is not in a Git repository. Name a work tree or a bare repository.`);
  }
}

async function bare(folder: string): Promise<string | null> {
  const parts = await Promise.all(["HEAD", "objects", "refs"].map((name) => exists(join(folder, name))));
  return parts.every(Boolean) ? folder : null;
}

/** `.git` is the repository itself, or a file that names it (work trees and submodules). */
async function linked(dotGit: string): Promise<string | null> {
  if (await isFolder(dotGit)) return (await exists(join(dotGit, "HEAD"))) ? dotGit : null;
  try {
    const target = /^gitdir: (.+)\s*$/.exec(await readFile(dotGit, "utf8"))?.[1];
    if (target === undefined) return null;
    return isAbsolute(target) ? target : resolve(dirname(dotGit), target);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw unreadable(dotGit, error);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}

/** Throws where that cannot be told: another repository further up must not be taken for the one that was meant. */
async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EACCES") throw unreadable(path, error);
      return false;
    },
  );
}

function unreadable(path: string, cause: unknown): NotFound {
  const { code } = cause as NodeJS.ErrnoException;
  return new NotFound("repository", `${path} cannot be read (${code}). May this user read the repository?`, { cause });
}

/** `HASH blob SIZE\n`, the content, a newline; `HASH missing\n`. */
function readBatch(answer: Buffer): Map<string, Buffer> {
  const contents = new Map<string, Buffer>();
  let at = 0;
  while (at < answer.length) {
    const end = answer.indexOf(10, at);
    if (end < 0) break;
    const [name, kind, size] = answer.toString("latin1", at, end).split(" ");
    at = end + 1;
    if (kind !== "blob" || size === undefined) continue;
    contents.set(name!, answer.subarray(at, at + Number(size)));
    at += Number(size) + 1;
  }
  return contents;
}

function readCommits(text: string): CommitRecord[] {
  const commits: CommitRecord[] = [];
  for (const part of text.split("\x01").slice(1)) {
    const [head, files] = splitOnce(part, "\x03");
    const [hash, time, ...message] = head.split("\x02");
    if (hash === undefined || time === undefined) continue;
    commits.push({
      hash,
      atSeconds: Number(time),
      message: message.join(" "),
      files: files
        .split("\0")
        .map((file) => file.replace(/^\n+/, ""))
        .filter(Boolean),
    });
  }
  return commits;
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
