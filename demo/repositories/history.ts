/** Writes a folder's files into a bare Git repository, commit by commit, without ever checking anything out. */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { promisify } from "node:util";

export interface DemoCommit {
  message: string;
  author: { name: string; email: string };
  /** ISO 8601 with a zone: fixed, so that the commit ids are. */
  date: string;
  /** Files that this commit adds or brings to what the folder shows, relative to it. */
  files: string[];
  /** Files as they were at this commit, where a later one changed them. */
  contents?: Readonly<Record<string, string>>;
}

/** Returns the id of the last commit. Throws when the last commit does not have every file of the folder. */
export async function createHistory(
  folder: URL,
  commits: readonly DemoCommit[],
  bareDirectory: string,
): Promise<string> {
  const source = fileURLToPath(folder);
  await mkdir(bareDirectory, { recursive: true });
  await git(bareDirectory, ["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  let head: string | null = null;
  for (const commit of commits) head = await writeCommit(source, bareDirectory, commit, head);
  if (head === null) throw new Error(`${source} has no commits`);
  await git(bareDirectory, ["update-ref", "refs/heads/main", head]);
  await checkComplete(source, bareDirectory, head);
  await rm(join(bareDirectory, "index"));
  return head;
}

async function writeCommit(source: string, bare: string, commit: DemoCommit, parent: string | null): Promise<string> {
  for (const file of commit.files)
    await stage(bare, file, await readFile(join(source, file)), await modeOf(join(source, file)));
  for (const [file, text] of Object.entries(commit.contents ?? {}))
    await stage(bare, file, Buffer.from(text), "100644");
  const tree = await git(bare, ["write-tree"]);
  const { name, email } = commit.author;
  return git(bare, ["commit-tree", tree, ...(parent ? ["-p", parent] : [])], {
    input: Buffer.from(`${commit.message}\n`),
    env: {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_AUTHOR_DATE: commit.date,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
      GIT_COMMITTER_DATE: commit.date,
    },
  });
}

async function stage(bare: string, file: string, content: Buffer, mode: string): Promise<void> {
  const blob = await git(bare, ["hash-object", "-w", "--stdin"], { input: content });
  await git(bare, ["update-index", "--add", "--cacheinfo", `${mode},${blob},${file}`]);
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o100) === 0 ? "100644" : "100755";
}

/** A file that somebody added to the folder and no commit names would be missing from the demo without a word. */
async function checkComplete(source: string, bare: string, head: string): Promise<void> {
  const committed = new Set((await git(bare, ["ls-tree", "-r", "--name-only", head])).split("\n"));
  const present = await readdir(source, { recursive: true, withFileTypes: true });
  const missing = present
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(source.length))
    .filter((file) => !committed.has(file) && !/(^|\/)(__pycache__|\.pytest_cache|node_modules)\//.test(file));
  if (missing.length > 0) throw new Error(`No commit of ${source} has ${missing.join(", ")}`);
}

async function git(
  bare: string,
  parameters: string[],
  { input, env }: { input?: Buffer; env?: Record<string, string> } = {},
): Promise<string> {
  // The person's own Git configuration (hooks, signing, line ends) must not change the commits.
  const running = promisify(execFile)("git", parameters, {
    cwd: bare,
    env: {
      ...process.env,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_DIR: bare,
      GIT_INDEX_FILE: join(bare, "index"),
      ...env,
    },
  });
  running.child.stdin?.end(input);
  return (await running).stdout.trim();
}
