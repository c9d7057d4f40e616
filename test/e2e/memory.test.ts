/** The memory of the whole product, as separate processes: a worker that is killed while it indexes, and a Qdrant that is slow or goes away. */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { indexWorkflowId, memoryWorkflowId } from "../../domain/ids.ts";
import { scopeOfRepository } from "../../domain/memory.ts";
import type { IndexReport, MemoryPort } from "../../domain/memory-ports.ts";
import { createMemory } from "../../workers/memory.ts";
import { BOT, type Cluster, MAINTAINER, startCluster } from "../faults/harness/cluster.ts";
import { crash, until, workerOn } from "../faults/harness/crash.ts";
import { type CrashRun, finish, openIssue, reaches, trigger } from "../faults/harness/run.ts";
import { SLOW } from "../faults/harness/scenario.ts";
import { playEmbeddings, type PlayedEmbeddings } from "../memory/played-embeddings.ts";
import { type PlayedQdrant, playQdrant } from "../memory/played-qdrant.ts";

const TIMEOUT_MS = 240_000;
/** Three batches of an index, and something. */
const FILES = 620;
const BATCH = 200;
const signal = new AbortController().signal;

let qdrant: PlayedQdrant;
let service: PlayedEmbeddings;
let cluster: Cluster;
let memory: MemoryPort;
let folder: string;
let passed = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mergewright-memory-e2e-"));
  [qdrant, service] = await Promise.all([playQdrant(), playEmbeddings({ apiKey: "key" })]);
  const embeddings = { url: service.url, model: "m", apiKey: "key" };
  cluster = await startCluster({
    env: {
      QDRANT_URL: qdrant.url,
      EMBEDDINGS_URL: embeddings.url,
      EMBEDDINGS_MODEL: embeddings.model,
      EMBEDDINGS_API_KEY: embeddings.apiKey,
    },
  });
  memory = createMemory({ home: folder, qdrant: { url: qdrant.url, apiKey: null }, embeddings });
}, 120_000);

afterAll(async () => {
  await cluster?.close(passed < 3);
  await memory?.close();
  await Promise.all([qdrant?.close(), service?.close()]);
  await rm(folder, { recursive: true, force: true });
});

/** The kinds of what is remembered of the run's repository. */
const kinds = async ({ repository }: CrashRun): Promise<string[]> =>
  (await memory.experience.list(scopeOfRepository(repository), {}, signal)).map(({ kind }) => kind).sort();
const written = ({ repository }: CrashRun): Promise<unknown> =>
  cluster.client.workflow.getHandle(memoryWorkflowId(repository)).result();

interface Comment {
  user: { login: string } | null;
  body: string;
}
const ourComments = async ({ repository, issue }: CrashRun): Promise<string> => {
  const path = `/repos/${repository}/issues/${issue}/comments`;
  const comments: Comment[] = await cluster.people.as(MAINTAINER).rest("GET", path);
  return comments
    .filter(({ user }) => user?.login === BOT)
    .map(({ body }) => body)
    .join("\n");
};

it(
  "an index whose worker is killed with kill -9 goes on at another, has nothing embedded again that was written, and ends complete",
  async () => {
    const source = join(folder, "source");
    await cp(fileURLToPath(new URL("../../demo/repositories/little-duration", import.meta.url)), source, {
      recursive: true,
    });
    await mkdir(join(source, "src/many"));
    for (let at = 0; at < FILES; at += 1)
      await writeFile(join(source, `src/many/f${at}.js`), `export function unique${at}() {\n  return ${at};\n}\n`);
    const run = await openIssue(cluster, "index-killed", { folder: source });
    // Into the second batch: a request holds 64 texts.
    service.stallAfter(Math.ceil(BATCH / 64) + 2);
    await trigger(cluster, run);
    const index = { ...run, workflowId: indexWorkflowId(run.repository) };
    await until("the service stands still", async () => service.stalled || undefined);
    const worker = await workerOn(cluster, index, "indexCode");
    await crash(worker, "indexCode");
    const before = new Set(service.seen.slice(0, BATCH / 64).flatMap(({ body }) => body.input));
    service.seen.length = 0;
    service.fail(0);
    const report = (await cluster.client.workflow.getHandle(index.workflowId).result()) as IndexReport;
    expect(report.files).toBeGreaterThan(FILES);
    expect(report.changed).toBe(report.files - BATCH);
    expect(report.lacking).toBeUndefined();
    const again = service.seen.flatMap(({ body }) => body.input).filter((text) => before.has(text));
    expect(again).toEqual([]);
    const [found] = await memory.code.search(scopeOfRepository(run.repository), `unique${FILES - 1} is wrong`, {
      limit: 1,
      signal,
    });
    expect(found).toMatchObject({ path: `src/many/f${FILES - 1}.js` });
    await worker.start();
    await finish(cluster, run);
    await written(run);
    passed += 1;
  },
  TIMEOUT_MS,
);

it(
  "a Qdrant that takes ten seconds for an answer costs a run seconds, and is told in its status, on the issue and as degraded",
  async () => {
    const run = await openIssue(cluster, "qdrant-slow");
    qdrant.slow(10_000);
    await trigger(cluster, run);
    const ready = (await (await fetch(`${cluster.url}/ready`)).json()) as { status: string; degraded: string[] };
    expect(ready).toMatchObject({ status: "ready", degraded: expect.arrayContaining(["qdrant"]) as string[] });
    const { status } = await finish(cluster, run);
    expect(status.outcome?.kind).toBe("merged");
    expect(status.notices).toMatchObject([
      { about: "memory", text: expect.stringContaining("goes on without it") as string },
    ]);
    expect(await ourComments(run)).toContain("goes on without it");
    qdrant.slow(0);
    await written(run);
    expect(await kinds(run)).toEqual(["resolution", "workflow"]);
    passed += 1;
  },
  TIMEOUT_MS,
);

it(
  "a Qdrant that goes away in the middle of a run stops nothing, and has what the run leaves once when it is back",
  async () => {
    const run = await openIssue(cluster, "qdrant-gone", { title: SLOW });
    await trigger(cluster, run);
    await reaches(cluster, run, "the coder", ({ agents }) => agents.some(({ role }) => role === "coder"));
    qdrant.fail(503, Infinity);
    const { status } = await finish(cluster, run);
    expect(status.outcome?.kind).toBe("merged");
    const writer = cluster.client.workflow.getHandle(memoryWorkflowId(run.repository));
    await until("the writer waits for its store", async () => {
      const { status: now, raw } = await writer.describe();
      return now.name === "RUNNING" && raw.pendingActivities?.some(({ attempt }) => (attempt ?? 0) > 2);
    });
    const ready = (await (await fetch(`${cluster.url}/ready`)).json()) as { degraded: string[] };
    expect(ready.degraded).toContain("qdrant");
    qdrant.fail(0, 0);
    await written(run);
    expect(await kinds(run)).toEqual(["resolution", "workflow"]);
    passed += 1;
  },
  TIMEOUT_MS,
);
