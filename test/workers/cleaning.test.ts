/** What a worker cleans up on its machine: leftovers of killed processes, mirrors that rest, sandboxes of runs that are over. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Client } from "@temporalio/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { putJson, runNoteKey } from "../../activities/artifacts.ts";
import { createFileArtifacts } from "../../activities/adapters/artifacts/file.ts";
import type { KnownSandbox } from "../../domain/leftovers.ts";
import type { Sandboxes } from "../../domain/ports.ts";
import { removeLeftovers, tidyMirrors } from "../../workers/cleaning.ts";
import { createLog, type Log } from "../../workers/log.ts";
import { reap } from "../../workers/reaper.ts";
import { Uses } from "../../workers/uses.ts";
import { type Bench, createBench, git, never, REPOSITORY } from "../git/support.ts";
import { runWorker, temporalClient, type RunningWorker } from "../support/temporal.ts";

const log = createLog({ level: "fatal", output: new Writable({ write: (_line, _encoding, done) => done() }) });
const root = mkdtempSync(join(tmpdir(), "cleaning-test-"));
let bench: Bench;
let client: Client;
let worker: RunningWorker;
beforeAll(async () => {
  bench = await createBench();
  client = await temporalClient();
  worker = await runWorker({
    workflowsPath: fileURLToPath(new URL("stand-in/workflows.ts", import.meta.url)),
    activities: { echo: async (text: string) => text },
  });
});
afterAll(async () => {
  await worker.stop();
  await client.connection.close();
  bench.end();
  rmSync(root, { recursive: true, force: true });
});

describe("what a killed process has left", () => {
  const mirrors = () => join(bench.root, "mirrors-1");
  const own = () => join(mirrors(), "acme", "widgets.git", "mergewright");
  const config = {
    home: join(root, "home"),
    artifacts: { kind: "file" as const, url: "", directory: join(root, "a") },
  };

  it("goes at once, and its lock is free; of a living one nothing goes", async () => {
    const living = untidy();
    await living.made;
    const ofTheLiving = leftovers();
    const killed = untidy();
    await killed.made;
    expect(ofTheLiving).toHaveLength(4);
    expect(leftovers()).toHaveLength(8);
    const clean = () => removeLeftovers({ config, mirror: bench.mirror, log }, never);
    expect(await clean()).toEqual([]);
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect(await clean()).toHaveLength(4);
    expect(leftovers()).toEqual(ofTheLiving);
    living.child.kill("SIGKILL");
    await living.ended;
    await clean();
    expect(leftovers()).toEqual([]);
    const [lock] = readdirSync(join(own(), "lock"));
    expect(readdirSync(join(own(), "lock"))).toHaveLength(1);
    expect(lock).toMatch(/^\d+$/);
    // Free: nobody waits for it.
    const stop = AbortSignal.timeout(2_000);
    await bench.mirror.fetch(REPOSITORY, bench.cloneUrl, "main", stop);
  }, 60_000);

  it("of another machine, or without a name, goes after a day", async () => {
    const unfinished = join(config.artifacts.directory, ".unfinished");
    mkdirSync(unfinished, { recursive: true });
    const names = [`put-0123456789ab.1.1-${randomUUID()}`, `put-${randomUUID()}`].map((name) => join(unfinished, name));
    for (const name of names) writeFileSync(name, "half");
    await removeLeftovers({ config, mirror: bench.mirror, log }, never);
    expect(names.filter((name) => existsSync(name))).toEqual(names);
    const yesterday = new Date(Date.now() - 25 * 60 * 60_000);
    for (const name of names) utimesSync(name, yesterday, yesterday);
    await removeLeftovers({ config, mirror: bench.mirror, log }, never);
    expect(names.filter((name) => existsSync(name))).toEqual([]);
  });

  /** A process in the middle of everything at once. */
  function untidy() {
    const script = join(root, "untidy.mts");
    writeFileSync(
      script,
      `import { mkdirSync, writeFileSync } from "node:fs";
       import { join } from "node:path";
       import { temporaryName } from ${JSON.stringify(resolve("activities/adapters/leftovers.ts"))};
       import { withScratch } from ${JSON.stringify(resolve("activities/adapters/git/tools.ts"))};
       import { withLock } from ${JSON.stringify(resolve("activities/adapters/git/lock.ts"))};
       const [mirrors, home, artifacts] = process.argv.slice(2);
       const gitDir = join(mirrors, "acme", "widgets.git");
       mkdirSync(join(mirrors, "acme", temporaryName(".new")), { recursive: true });
       mkdirSync(join(home, "sandboxes", temporaryName(".new")), { recursive: true });
       mkdirSync(join(artifacts, ".unfinished"), { recursive: true });
       writeFileSync(join(artifacts, ".unfinished", temporaryName("put")), "half");
       void withLock(join(gitDir, "mergewright", "lock"), new AbortController().signal, () => new Promise(() => {}));
       await withScratch(gitDir, async () => {
         console.log("made");
         await new Promise((done) => setTimeout(done, 60_000));
       });`,
    );
    const args = [mirrors(), config.home, config.artifacts.directory];
    const child = spawn(process.execPath, ["--import", "tsx", script, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const made = new Promise<void>((done) => child.stdout.once("data", () => done()));
    const ended = new Promise<void>((done) => child.once("close", () => done()));
    return { child, made, ended };
  }

  function leftovers(): string[] {
    const folders = [
      join(mirrors(), "acme"),
      own(),
      join(config.home, "sandboxes"),
      join(config.artifacts.directory, ".unfinished"),
    ];
    return folders
      .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []))
      .filter((name) => /^(\.new|scratch|put)-/.test(name))
      .toSorted();
  }
});

it("a mirror is tidied after a day, and lets go of what runs took in once none of its repository is open", async () => {
  const other = await createBench();
  try {
    const next = other.change({ "a.txt": "a\n" });
    await other.mirror.take(REPOSITORY, other.bundle(`${other.base}..main`, "main"), never);
    const gitDir = join(other.root, "mirrors-1", "acme", "widgets.git");
    const refs = () => git(gitDir, ["for-each-ref", "--format=%(refname)", "refs/mergewright/taken"]);
    expect(refs()).toContain(next);
    const runs = (ids: string[]) =>
      ({
        workflow: {
          list: async function* () {
            for (const workflowId of ids) yield { workflowId, typedSearchAttributes: { get: () => undefined } };
          },
        },
      }) as unknown as Client;
    const round = (ids: string[], days: number) =>
      tidyMirrors({ mirror: other.mirror, client: runs(ids), log }, never, Date.now() + days * 24 * 60 * 60_000);
    const tidiedAt = async () => (await other.mirror.mirrors())[0]!.tidiedAt;
    const before = await tidiedAt();

    await round([], 0.5);
    await round(["issue/acme/widgets/1/fork/2"], 2);
    expect(refs()).toContain(next);
    expect(await tidiedAt()).toBe(before);
    // Where there is always a run it is packed now and then, and keeps what they need.
    await round(["issue/acme/widgets/1"], 8);
    expect(refs()).toContain(next);
    expect(await tidiedAt()).toBeGreaterThan(before);
    await round(["issue/acme/gadgets/1"], 2);
    expect(refs()).toBe("");
  } finally {
    other.end();
  }
}, 30_000);

it("the sandbox of an earlier run goes while the next one of its issue is open; resets and new histories keep theirs", async () => {
  const artifacts = createFileArtifacts(join(root, "artifacts"));
  const uses = new Uses(join(root, "uses"));
  const sandboxes: KnownSandbox[] = [];
  const closed: string[] = [];
  const engine = {
    known: async () => sandboxes,
    close: async (key: string) => void closed.push(key),
  } as unknown as Sandboxes;
  const clean = () => reap({ client, sandboxes: engine, artifacts, uses, idleMs: 0, log });
  const begin = async (workflowId: string, type: string) => {
    const handle = await client.workflow.start(type, { args: ["x"], workflowId, taskQueue: worker.taskQueue });
    const runKey = randomUUID();
    sandboxes.push({ key: `${runKey}-coder`, runKey, workflowId, madeAt: Date.now() });
    const note = { id: workflowId, namespace: "default", namespaceId: "n", firstRunId: handle.firstExecutionRunId };
    await putJson(artifacts, runNoteKey(runKey), note);
    return { handle, sandbox: `${runKey}-coder` };
  };
  const id = (what: string) => `issue/acme/shop-${what}/${Math.floor(Math.random() * 1e9) + 1}`;

  const rerun = id("rerun");
  const first = await begin(rerun, "conversation");
  await first.handle.signal("said", { text: "go" });
  await first.handle.result();
  await begin(rerun, "conversation");
  const renewed = await begin(id("renewed"), "renewed");
  const again = client.workflow.getHandle(renewed.handle.workflowId);
  await expect.poll(async () => (await again.describe()).runId).not.toBe(renewed.handle.firstExecutionRunId);
  const reset = await begin(id("reset"), "conversation");
  await reset.handle.signal("said", { text: "go" });
  await reset.handle.result();
  const events = (await reset.handle.fetchHistory()).events ?? [];
  const { runId } = await client.workflowService.resetWorkflowExecution({
    namespace: "default",
    requestId: randomUUID(),
    reason: "test",
    workflowExecution: { workflowId: reset.handle.workflowId, runId: reset.handle.firstExecutionRunId },
    workflowTaskFinishEventId: events.find((event) => event.workflowTaskCompletedEventAttributes)!.eventId!,
    resetReapplyType: 2,
  });
  expect(runId).not.toBe(reset.handle.firstExecutionRunId);
  // Of a run that has said nothing of itself nobody can tell.
  const silent = { key: "silent-coder", runKey: "silent", workflowId: rerun, madeAt: 0 };
  sandboxes.push(silent);

  expect(await clean()).toEqual([first.sandbox]);
  expect(closed).toEqual([first.sandbox]);
  for (const workflowId of new Set(sandboxes.map((each) => each.workflowId)))
    await client.workflow.getHandle(workflowId).terminate();
}, 30_000);

it("a sandbox that the engine cannot remove keeps no other here, and is told", async () => {
  const said: string[] = [];
  const warned = { info: () => undefined, warn: (_: object, text: string) => void said.push(text) } as unknown as Log;
  const keys = ["stuck-coder", "left-coder"];
  const sandboxes = {
    known: async () =>
      keys.map((key) => ({ key, runKey: key, workflowId: `issue/acme/gone/${randomUUID()}`, madeAt: 0 })),
    close: async (key: string) => {
      if (key === "stuck-coder") throw new Error("device or resource busy");
    },
  } as unknown as Sandboxes;
  const artifacts = createFileArtifacts(join(root, "artifacts-of-stuck"));
  const uses = new Uses(join(root, "uses-of-stuck"));
  expect(await reap({ client, sandboxes, artifacts, uses, idleMs: 0, log: warned })).toEqual(["left-coder"]);
  expect(said).toEqual(["a sandbox could not be removed; tried again later"]);
});

it("the time of the last use is forgotten of sandboxes that are gone", async () => {
  const folder = join(root, "uses-of-gone");
  const uses = new Uses(folder);
  for (const key of ["here", "gone", "new"]) await uses.touch(key);
  const earlier = new Date(Date.now() - 2 * 60 * 60_000);
  for (const key of ["here", "gone"]) utimesSync(join(folder, key), earlier, earlier);
  await uses.keepOnly(["here"]);
  expect(readdirSync(folder).toSorted()).toEqual(["here", "new"]);
});
