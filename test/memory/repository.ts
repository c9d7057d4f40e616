/** Small Git repositories to index, and a source that counts what is read of them. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openSourceRepository } from "../../activities/adapters/git/source.ts";
import type { SourceRepository } from "../../domain/memory-ports.ts";

export interface TestRepository {
  folder: string;
  git(...args: string[]): string;
  /** Writes files (null: deletes) and commits them. Returns the commit. */
  commit(message: string, files: Record<string, string | null>): string;
  remove(): void;
}

export function makeRepository(): TestRepository {
  const folder = mkdtempSync(join(tmpdir(), "mergewright-repository-"));
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "A",
    GIT_AUTHOR_EMAIL: "a@example.com",
    GIT_COMMITTER_NAME: "A",
    GIT_COMMITTER_EMAIL: "a@example.com",
  };
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: folder, env, encoding: "utf8" }).trim();
  git("init", "-q", "-b", "main");
  return {
    folder,
    git,
    commit(message, files) {
      for (const [path, content] of Object.entries(files)) {
        const full = join(folder, path);
        if (content === null) rmSync(full);
        else {
          mkdirSync(dirname(full), { recursive: true });
          writeFileSync(full, content);
        }
      }
      git("add", "-A");
      git("commit", "-q", "--allow-empty", "-m", message);
      return git("rev-parse", "HEAD");
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** As the product opens it, and a list of all contents and commits that were asked for. */
export function countedSource(gitDir: string): { source: SourceRepository; blobs: string[]; commits: string[] } {
  const plain = openSourceRepository(process.env, gitDir);
  const blobs: string[] = [];
  const commits: string[] = [];
  return {
    blobs,
    commits,
    source: {
      ...plain,
      contents: (wanted, signal) => {
        blobs.push(...wanted);
        return plain.contents(wanted, signal);
      },
      commits: (wanted, signal) => {
        commits.push(...wanted);
        return plain.commits(wanted, signal);
      },
    },
  };
}
