import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withLock } from "../../activities/adapters/git/lock.ts";
import { createBench, git, never, REPOSITORY, type Bench } from "./support.ts";

const root = mkdtempSync(join(tmpdir(), "lock-test-"));
let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => {
  bench.end();
  rmSync(root, { recursive: true, force: true });
});

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** A process that takes the lock, writes a line, and holds it. */
function holder(folder: string, holdMs: number) {
  const script = join(root, "holder.mts");
  writeFileSync(
    script,
    `import { withLock } from ${JSON.stringify(resolve("activities/adapters/git/lock.ts"))};
     const [folder, log, hold] = process.argv.slice(2);
     const { appendFileSync } = await import("node:fs");
     await withLock(folder, new AbortController().signal, async () => {
       appendFileSync(log, "+");
       console.log("held");
       await new Promise((done) => setTimeout(done, Number(hold)));
       appendFileSync(log, "-");
     });`,
  );
  const child = spawn(process.execPath, ["--import", "tsx", script, folder, join(root, "log"), String(holdMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const held = new Promise<void>((done) => child.stdout.once("data", () => done()));
  const ended = new Promise<void>((done) => child.once("close", () => done()));
  return { child, held, ended };
}

describe("the lock of a mirror", () => {
  it("lets one in at a time, among callers and processes", async () => {
    const folder = join(root, "together");
    writeFileSync(join(root, "log"), "");
    const others = [holder(folder, 60), holder(folder, 60), holder(folder, 60)];
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 5 }, () =>
        withLock(folder, never, async () => {
          most = Math.max(most, ++inside);
          await wait(20);
          inside -= 1;
        }),
      ),
    );
    await Promise.all(others.map((other) => other.ended));
    expect(most).toBe(1);
    expect(readFileSync(join(root, "log"), "utf8")).toBe("+-+-+-");
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("is taken over at once from a holder that was killed", async () => {
    const folder = join(root, "killed");
    const dead = holder(folder, 60_000);
    await dead.held;
    dead.child.kill("SIGKILL");
    await dead.ended;
    const began = Date.now();
    expect(await withLock(folder, never, async () => "in")).toBe("in");
    expect(Date.now() - began).toBeLessThan(1000);
  });

  it("is not taken from one that is alive, and waiting can be given up", async () => {
    const folder = join(root, "alive");
    const alive = holder(folder, 60_000);
    await alive.held;
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("given up")), 300);
    await expect(withLock(folder, stop.signal, async () => "in")).rejects.toThrow();
    alive.child.kill("SIGKILL");
    await alive.ended;
  });

  it("counts a holder on another machine as dead only without a heartbeat", async () => {
    const folder = join(root, "elsewhere");
    await withLock(folder, never, async () => undefined);
    writeFileSync(join(folder, "7"), JSON.stringify({ pid: 1, started: "1", place: "elsewhere", free: false }));
    await expect(withLock(folder, AbortSignal.timeout(300), async () => "in")).rejects.toThrow();
    const old = new Date(Date.now() - 10 * 60_000);
    utimesSync(join(folder, "7"), old, old);
    expect(await withLock(folder, never, async () => "in")).toBe("in");
  });

  it("is free after work that failed, and after a power cut left its file empty", async () => {
    const folder = join(root, "failed");
    await expect(withLock(folder, never, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    writeFileSync(join(folder, "9"), "");
    expect(await withLock(folder, never, async () => "in")).toBe("in");
  });
});

describe("a lock file of git, left by one that was killed,", () => {
  it("does not stop a fetch or a commit for longer than it takes to see that it is stale", async () => {
    const gitDir = join(bench.root, "mirrors-1", "acme", "widgets.git");
    const [upstream] = readdirSync(join(gitDir, "refs", "mergewright", "upstream"));
    const next = bench.change({ "a.txt": "a\n" });
    git(bench.work, ["push", "--quiet", bench.upstream, "main"]);
    const old = new Date(Date.now() - 60_000);
    for (const path of [
      join(gitDir, "refs", "mergewright", "upstream", `${upstream}.lock`),
      join(gitDir, "packed-refs.lock"),
    ]) {
      writeFileSync(path, "");
      utimesSync(path, old, old);
    }
    expect(await bench.mirror.fetch(REPOSITORY, bench.cloneUrl, "main", never)).toBe(next);
    const commit = {
      treeOf: next,
      parents: [next],
      message: "m",
      author: { name: "M", email: "m@x" },
      date: "2026-01-01T00:00:00Z",
    };
    const made = await bench.mirror.commit(REPOSITORY, commit, never);
    const lock = join(gitDir, "refs", "mergewright", "taken", `${made}.lock`);
    await bench.mirror.release(REPOSITORY, [made], never);
    mkdirSync(dirname(lock), { recursive: true });
    writeFileSync(lock, "");
    utimesSync(lock, old, old);
    expect(await bench.mirror.commit(REPOSITORY, commit, never)).toBe(made);
  });
});
