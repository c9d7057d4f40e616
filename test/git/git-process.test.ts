/** A git process from start to end, started by this process or by the small one beside it: the same promises for both. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { gitApart, type RunGitProcess } from "../../activities/adapters/git/apart.ts";
import { type GitCall, runGit } from "../../activities/adapters/git/git.ts";
import { runGitProcess } from "../../activities/adapters/git/git-process.mjs";
import { ConfigurationError, GitFailed, ServiceUnavailable } from "../../domain/errors.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mergewright-git-process-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const host = { PATH: process.env["PATH"] };

function call(args: readonly string[], more: Partial<GitCall> = {}): GitCall {
  const signal = new AbortController().signal;
  return { args, gitDir: folder, signal, timeoutMs: 20_000, maxStdoutBytes: 2 ** 26, ...more };
}

/** A git that runs this in a shell. */
const shell = (script: string): string[] => ["-c", `alias.it=!${script}`, "it"];

/** Runs until it is stopped; its own child and the starter of git are named in a file. */
const endless = (file: string): string[] =>
  shell(`sleep 60 & echo $! $(ps -o ppid= -p $PPID) > ${file}.new; mv ${file}.new ${file}; wait`);

async function named(file: string): Promise<[child: number, starter: number]> {
  const text = await vi.waitFor(() => readFile(file, "utf8"), { timeout: 20_000 });
  const [child, starter] = text.trim().split(" ").map(Number);
  return [child!, starter!];
}

const ways: [string, () => RunGitProcess][] = [
  ["by this process", () => runGitProcess],
  ["by the small process", gitApart],
];

describe.each(ways)("git started %s", (_, way) => {
  it("gives what it printed, and an exit code other than 0 as a result", async () => {
    const result = await runGit(host, call(["rev-parse", "--verify", "nothing"]), way());
    expect(result).toMatchObject({ exitCode: 128, stdout: Buffer.alloc(0), stdoutCut: false });
    expect(result.stderr).toMatch(/not a git repository/i);
  });

  it("hands bytes on as they are, also more than one message carries", async () => {
    const run = way();
    for (const input of [Buffer.from([0, 255, 10, 13]), Buffer.alloc(20 * 2 ** 20, 7)]) {
      const { stdout } = await runGit(host, call(shell("cat"), { input }), run);
      expect(stdout.equals(input)).toBe(true);
    }
  });

  it("is stopped where it prints more than is wanted", async () => {
    const { stdout, stdoutCut, exitCode } = await runGit(host, call(shell("yes"), { maxStdoutBytes: 1_000 }), way());
    expect({ bytes: stdout.length, stdoutCut, exitCode }).toEqual({ bytes: 1_000, stdoutCut: true, exitCode: null });
  });

  it("rejects with the signal's reason, and its children end with it", async () => {
    const stop = new AbortController();
    const running = runGit(host, call(endless(join(folder, "pids")), { signal: stop.signal }), way());
    const [child] = await named(join(folder, "pids"));
    stop.abort(new Error("the run was cancelled"));
    await expect(running).rejects.toThrow("the run was cancelled");
    await vi.waitFor(() => expect(lives(child)).toBe(false), { timeout: 20_000 });
  });

  it("is stopped at its time limit, as an outage", async () => {
    const running = runGit(host, call(shell("sleep 60"), { timeoutMs: 200 }), way());
    await expect(running).rejects.toThrow(ServiceUnavailable);
    await expect(running).rejects.toThrow(/did not end within 200 ms/);
  });

  it("says that there is no git", async () => {
    const running = runGit({ PATH: folder }, call(["version"]), way());
    await expect(running).rejects.toThrow(ConfigurationError);
    await expect(running).rejects.toThrow(/install git/);
  });

  it("says why it could not be started", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    await expect(runGit(host, call(["version"], { gitDir: file }), way())).rejects.toThrow(GitFailed);
  });

  it("runs many at a time", async () => {
    const run = way();
    const numbers = Array.from({ length: 20 }, (_each, index) => `${index}`);
    const results = await Promise.all(numbers.map((input) => runGit(host, call(shell("cat"), { input }), run)));
    expect(results.map(({ stdout }) => stdout.toString())).toEqual(numbers);
  });
});

describe("the small process", () => {
  it("that died takes its calls along as an outage, and is started again for the next", async () => {
    const run = gitApart();
    const running = runGit(host, call(shell("kill -9 $(ps -o ppid= -p $PPID); sleep 60")), run);
    await expect(running).rejects.toThrow(/process that starts git for the worker ended with SIGKILL/);
    await expect(running).rejects.toThrow(ServiceUnavailable);
    expect((await runGit(host, call(["version"]), run)).exitCode).toBe(0);
  });

  it("ends with a parent that was killed, and ends the git that runs", async () => {
    const apart = pathToFileURL(join(import.meta.dirname, "../../activities/adapters/git/apart.ts")).href;
    const order = { args: endless(join(folder, "pids")), env: host, cwd: folder, input: "" };
    const program = `
      const { gitApart } = await import(${JSON.stringify(apart)});
      await gitApart()(${JSON.stringify({ ...order, maxStdoutBytes: 100 })}, new AbortController().signal);`;
    const parent = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program]);
    const [child, starter] = await named(join(folder, "pids"));
    expect([lives(child), lives(starter), starter === parent.pid]).toEqual([true, true, false]);
    parent.kill("SIGKILL");
    await once(parent, "exit");
    await vi.waitFor(() => expect([lives(child), lives(starter)]).toEqual([false, false]), { timeout: 20_000 });
  });
});

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
