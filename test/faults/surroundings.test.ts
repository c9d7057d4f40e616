/** What is wrong around the product, and no process dies of it: clocks, a full disk, a memory that is away. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { memoryWorkflowId } from "../../domain/ids.ts";
import { scopeOfRepository } from "../../domain/memory.ts";
import { createMemory } from "../../workers/memory.ts";
import { freePort } from "../../workers/temporal-process.ts";
import { playQdrant } from "../memory/played-qdrant.ts";
import { type Cluster, startCluster } from "./harness/cluster.ts";
import { until } from "./harness/crash.ts";
import { wrongAfter } from "./harness/evidence.ts";
import { finish, openIssue, reaches, statusOf, trigger } from "./harness/run.ts";
import { QUICK_STEPS, SLOW, SLOW_STEPS } from "./harness/scenario.ts";

const TIMEOUT_MS = 200_000;
const TEN_MINUTES_MS = 600_000;
const DISK_MB = 48;
/** Only root may mount a disk that is small. */
const isRoot = process.getuid?.() === 0;

let cluster: Cluster;
/** Nobody listens there, until a test does. */
let qdrantPort: number;
let passed = 0;

beforeAll(async () => {
  qdrantPort = await freePort();
  cluster = await startCluster({
    app: true,
    env: { QDRANT_URL: `http://127.0.0.1:${qdrantPort}` },
    apiEnv: offBy(TEN_MINUTES_MS),
    workerEnv: [offBy(TEN_MINUTES_MS), offBy(-TEN_MINUTES_MS)],
    ...(isRoot && { diskMb: DISK_MB }),
  });
}, 120_000);

afterAll(() => cluster?.close(passed < (isRoot ? 3 : 2)));

it(
  "E11: workers whose clocks are ten minutes ahead and ten minutes behind work as an App, and wait for a limit no longer than it lasts",
  async () => {
    const run = await openIssue(cluster, "E11-clock");
    const reset = String(Math.ceil(Date.now() / 1_000) + 3);
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset };
    const limit = { status: 403, headers, body: { message: "API rate limit exceeded" } };
    await cluster.people.fault({ method: "POST", path: "/pulls$", ...limit });
    await trigger(cluster, run);
    const { status } = await finish(cluster, run);
    expect(status.outcome?.kind).toBe("merged");
    expect(status.notices).toContainEqual({
      about: "clock",
      text: expect.stringMatching(/the clock is (599|600|601) s (ahead of|behind) GitHub's; set it by NTP/) as string,
      at: expect.any(String) as string,
    });
    const logs = cluster.workers.map(({ name }) => readFile(join(cluster.folder, `${name}.log`), "utf8"));
    expect((await Promise.all(logs)).join("\n")).toMatch(/the clock is \d+ s (ahead of|behind) GitHub's/);
    expect(await wrongAfter(cluster, run, QUICK_STEPS, [])).toEqual([]);
    passed += 1;
  },
  TIMEOUT_MS,
);

it(
  "E11: a Qdrant that is down is told as degraded, the run goes on, and what it leaves to be remembered is written once when it is back",
  async () => {
    const run = await openIssue(cluster, "E11-qdrant");
    await trigger(cluster, run);
    const ready = (await (await fetch(`${cluster.url}/ready`)).json()) as { status: string; degraded: string[] };
    // What earlier runs of this file want remembered waits for it, too, which is told as "memory".
    expect(ready).toMatchObject({ status: "ready", degraded: expect.arrayContaining(["qdrant"]) });
    const { status } = await finish(cluster, run);
    expect(status.outcome?.kind).toBe("merged");
    expect(status.notices.map(({ about }) => about)).toContain("memory");
    expect(await wrongAfter(cluster, run, QUICK_STEPS, [])).toEqual([]);
    const writer = cluster.client.workflow.getHandle(memoryWorkflowId(run.repository));
    await until("the writer waits for its store", async () => {
      const { status: now, raw } = await writer.describe();
      return (now.name === "RUNNING" && raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) > 1)) || undefined;
    });

    const qdrant = await playQdrant({ port: qdrantPort });
    const folder = await mkdtemp(join(tmpdir(), "mergewright-e11-"));
    const memory = createMemory({ home: folder, qdrant: { url: qdrant.url, apiKey: null }, embeddings: null });
    try {
      await writer.result();
      const { signal } = new AbortController();
      const kept = await memory.experience.list(scopeOfRepository(run.repository), {}, signal);
      expect(kept.map(({ kind }) => kind).sort()).toEqual(["resolution", "workflow"]);
      const again = (await (await fetch(`${cluster.url}/ready`)).json()) as { degraded: string[] };
      expect(again.degraded).not.toContain("qdrant");
    } finally {
      await memory.close();
      await qdrant.close();
      await rm(folder, { recursive: true });
    }
    passed += 1;
  },
  TIMEOUT_MS,
);

it.skipIf(!isRoot)(
  "E11: a disk that is full on the worker is told in the status, and the run goes on when there is room again",
  async () => {
    const run = await openIssue(cluster, "E11-disk", { title: SLOW });
    await trigger(cluster, run);
    await reaches(cluster, run, "the coder", ({ agents }) => agents.some(({ role }) => role === "coder"));
    const filler = join(cluster.folder, "disk", "filler");
    await promisify(execFile)("dd", ["if=/dev/zero", `of=${filler}`, "bs=1M"]).catch((error: Error) => {
      if (!/No space left/.test(error.message)) throw error;
    });
    const told = await until("its status tells of it", async () => {
      const status = await statusOf(cluster, run);
      return status?.waitingFor ?? undefined;
    });
    expect(told).toMatchObject({ kind: "outage", detail: expect.stringMatching(/disk is full/) as string });
    await rm(filler);
    const { status } = await finish(cluster, run);
    expect(status.outcome?.kind).toBe("merged");
    expect(await wrongAfter(cluster, run, SLOW_STEPS, [])).toEqual([]);
    passed += 1;
  },
  TIMEOUT_MS,
);

function offBy(ms: number): Record<string, string> {
  const clock = fileURLToPath(new URL("harness/wrong-clock.mjs", import.meta.url));
  return { NODE_OPTIONS: `--import=${clock}`, WRONG_CLOCK_MS: String(ms) };
}
