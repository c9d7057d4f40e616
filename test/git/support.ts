/** Repositories to test against: an upstream with a history, and a working tree as a sandbox has one. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createMirror, type GitMirror, type MirrorOptions } from "../../activities/adapters/git/mirror.ts";

export const ENV = { PATH: process.env["PATH"] };
export const REPOSITORY = "Acme/Widgets";
export const never = new AbortController().signal;

const IDENTITY = {
  GIT_AUTHOR_NAME: "Ann",
  GIT_AUTHOR_EMAIL: "ann@example.com",
  GIT_AUTHOR_DATE: "@1700000000 +0000",
  GIT_COMMITTER_NAME: "Ann",
  GIT_COMMITTER_EMAIL: "ann@example.com",
  GIT_COMMITTER_DATE: "@1700000000 +0000",
};

/** Runs git as a developer or a sandbox would; not as the product does. */
export function git(cwd: string, args: string[], input?: string | Buffer): string {
  return gitBytes(cwd, args, input).toString("utf8").trim();
}

export function gitBytes(cwd: string, args: string[], input?: string | Buffer): Buffer {
  return execFileSync("git", args, {
    cwd,
    env: { ...ENV, ...IDENTITY, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", HOME: cwd },
    stdio: ["pipe", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
    ...(input === undefined ? {} : { input }),
  });
}

export interface Bench {
  root: string;
  upstream: string;
  cloneUrl: string;
  work: string;
  base: string;
  mirror: GitMirror;
  /** A mirror of its own, as on another machine. */
  another(options?: Partial<MirrorOptions>): GitMirror;
  /** Writes files into the working tree and commits them; null deletes. */
  change(files: Record<string, string | Buffer | null>, message?: string): string;
  /** A bundle as the sandbox makes it. */
  bundle(...args: string[]): Buffer;
  end(): void;
}

export const FILES = {
  "README.md": "# Widgets\n",
  "src/sum.js": "export const sum = (a, b) => a - b;\n",
  "test/sum.test.js": 'import { sum } from "../src/sum.js";\n',
};

/** An upstream with one commit on `main`, its clone, and a mirror that has fetched it by `file://`. */
export async function createBench(options: Partial<MirrorOptions> = {}): Promise<Bench> {
  const root = mkdtempSync(join(tmpdir(), "mirror-test-"));
  const upstream = join(root, "upstream", "acme", "widgets.git");
  const work = join(root, "work");
  mkdirSync(upstream, { recursive: true });
  git(upstream, ["init", "--bare", "--quiet", "--initial-branch=main"]);
  git(upstream, ["config", "http.receivepack", "true"]);
  git(root, ["init", "--quiet", "--initial-branch=main", work]);
  let mirrors = 0;
  const another = (more: Partial<MirrorOptions> = {}) =>
    createMirror({
      dir: join(root, `mirrors-${++mirrors}`),
      env: ENV,
      token: async () => null,
      allowFileUrls: true,
      ...options,
      ...more,
    });
  const change: Bench["change"] = (files, message = "A change") => {
    for (const [path, content] of Object.entries(files)) {
      const full = join(work, path);
      if (content === null) rmSync(full, { recursive: true });
      else {
        mkdirSync(dirname(full), { recursive: true });
        writeFileSync(full, content);
      }
    }
    git(work, ["add", "--all"]);
    git(work, ["commit", "--quiet", "--allow-empty", "-m", message]);
    return git(work, ["rev-parse", "HEAD"]);
  };
  const base = change(FILES, "Begin");
  git(work, ["push", "--quiet", upstream, "main"]);
  const mirror = another();
  const cloneUrl = `file://${upstream}`;
  await mirror.fetch(REPOSITORY, cloneUrl, "main", never);
  return {
    root,
    upstream,
    cloneUrl,
    work,
    base,
    mirror,
    another,
    change,
    bundle: (...args) => gitBytes(work, ["bundle", "create", "--quiet", "-", ...args]),
    end: () => rmSync(root, { recursive: true, force: true }),
  };
}
