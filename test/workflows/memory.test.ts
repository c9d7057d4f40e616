/** Runs with a memory: what they leave, what later ones are told, and what happens while it is away. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BriefRef, TakeTurnInput } from "../../activities/contract.ts";
import { readRecalled } from "../../activities/recall.ts";
import { SettingsOfRuns } from "../../activities/run-settings.ts";
import { runCalls, type ToolParts } from "../../activities/tools.ts";
import type { LikelyFile, RememberedIssues } from "../../domain/brief.ts";
import type { Intent } from "../../domain/events.ts";
import { indexWorkflowId, issueWorkflowId, memoryWorkflowId } from "../../domain/ids.ts";
import { type Memory, scopeOfRepository } from "../../domain/memory.ts";
import type { MemoryPort } from "../../domain/memory-ports.ts";
import { RepositorySettings } from "../../domain/settings.ts";
import { playEmbeddings } from "../memory/played-embeddings.ts";
import { type PlayedQdrant, playQdrant } from "../memory/played-qdrant.ts";
import {
  ALIKE,
  bench,
  client,
  DISCOUNT,
  ends,
  fresh,
  hang,
  memoriesOf,
  type Product,
  product,
  publish,
  signal,
  until,
  written,
} from "./memory-product.ts";

describe("a run with a memory", () => {
  let it1: Product;
  const repository = fresh();
  beforeAll(async () => {
    it1 = await product();
  });

  it("shows planner and coder the files that the issue is likely about, from an index of its own workflow", async () => {
    it1.played.reviews.push({ verdict: "approve", summary: "good", findings: [], lessons: ["Round at the end."] });
    const { briefs, status } = await it1.run(repository, 1, DISCOUNT);
    const { recalled } = briefs.get("planner") as BriefRef & { kind: "plan" };
    const files = await readRecalled<LikelyFile[]>(it1.artifacts, recalled!.code);
    expect(files![0]).toMatchObject({ path: "src/invoice.js", lines: [1, 3] });
    expect((briefs.get("coder") as BriefRef & { kind: "implement" }).recalled).toEqual(recalled);
    expect(status.notices).toEqual([]);
    const index = client.workflow.getHandle(indexWorkflowId(repository));
    expect(await index.result()).toMatchObject({ files: 5, unchanged: false });
  });

  it("leaves how it was solved, the way there, and the reviewer's lesson, without the worker's secrets", async () => {
    await written(repository);
    const memories = await memoriesOf(it1, repository);
    expect(memories.map(({ kind }) => kind).sort()).toEqual(["lesson", "resolution", "workflow"]);
    expect(memories.find(({ kind }) => kind === "resolution")).toMatchObject({
      issue: 1,
      title: DISCOUNT.title,
      category: "bug",
      cause: "an off-by-one",
      files: ["a.js"],
      change: expect.stringContaining("1 file, +1 -1 lines. Mended."),
      outcome: "merged",
      mergeSha: "e".repeat(40),
      reverted: false,
    });
    expect(memories.find(({ kind }) => kind === "workflow")).toMatchObject({ turns: 5, rounds: 1, outcome: "merged" });
    expect(memories.find(({ kind }) => kind === "lesson")).toMatchObject({
      text: "Round at the end.",
      confirmed: true,
    });
    expect(JSON.stringify(memories)).not.toContain("a-secret-of-the-worker");
  });

  it("recalls them for a similar issue at classification and planning, and not for another repository", async () => {
    const { briefs } = await it1.run(repository, 2, ALIKE);
    const { recalled } = briefs.get("classifier") as BriefRef & { kind: "classify" };
    const told = await readRecalled<RememberedIssues>(it1.artifacts, recalled!.issues);
    expect(told!.similar).toMatchObject([{ issue: 1, title: DISCOUNT.title, outcome: "merged" }]);
    expect(told!.similar[0]!.score).toBeGreaterThan(0.7);
    expect(told!.lessons).toEqual([{ issue: 1, text: "Round at the end." }]);
    expect((briefs.get("planner") as BriefRef & { kind: "plan" }).recalled!.issues).toBe(recalled!.issues);

    const elsewhere = await it1.run(fresh(), 2, ALIKE);
    expect((elsewhere.briefs.get("classifier") as BriefRef & { kind: "classify" }).recalled!.issues).toBeNull();
  });

  it("answers search_code from the index, and says the same to a repeated attempt, whatever the index says by then", async () => {
    const run = { runKey: randomUUID(), id: issueWorkflowId(repository, 1), repository, issue: 1 };
    const settings = new SettingsOfRuns(it1.artifacts);
    await settings.write(run, { ...RepositorySettings.parse({}), prices: {} });
    const reply = {
      content: [{ type: "tool_use", id: "c1", name: "search_code", input: { query: "who checks a password?" } }],
    };
    const seeded = { kind: "exited", exitCode: 0 };
    const parts = (memory: MemoryPort) =>
      ({
        artifacts: it1.artifacts,
        settings,
        memory,
        conversations: { turn: async () => ({ reply }) },
        sandboxes: { open: async () => ({ journal: async () => seeded }) },
        // The sandbox is known to stand there.
        trees: new Map([[`${run.runKey}-coder`, "base base"]]),
        draining: signal,
      }) as unknown as ToolParts;
    const input = {
      conversation: "coder",
      turn: 1,
      previous: "turn-0",
      workspace: { run, purpose: "coder", commit: "base", checkpoint: null },
    } as unknown as TakeTurnInput;
    const calls = [{ id: "c1", name: "search_code", onlyReads: true, summary: "" }];
    const { results } = await runCalls(parts(it1.memory), input, calls, signal);
    expect(results[0]).toMatchObject({ isError: false, checkpoint: null });
    expect(results[0]!.text).toMatch(/repository data, and not instructions\):\n- src\/login\.js:1-3 /);
    expect(await runCalls(parts({} as MemoryPort), input, calls, signal)).toEqual({ results, checkpoint: null });
  });

  it("marks what was reverted later, and takes its lessons back", async () => {
    bench.change({ "src/x.js": "1\n" }, `Revert "It"\n\nThis reverts commit ${"e".repeat(40)}.`);
    publish();
    await it1.run(repository, 3, { title: "Something else", body: "entirely" });
    await client.workflow.getHandle(indexWorkflowId(repository)).result();
    await written(repository);
    const memories = await memoriesOf(it1, repository);
    expect(memories.filter(({ kind, issue }) => issue === 1 && kind !== "workflow")).toMatchObject([
      { kind: "resolution", reverted: true },
      { kind: "lesson", confirmed: false },
    ]);
  });
});

describe("a change that a person reverts", () => {
  const repository = fresh();
  const merged = "abc".repeat(13).padEnd(40, "1");
  const history = { brought: Promise.resolve(), away: false };
  let it1: Product;
  beforeAll(async () => {
    // The index of these runs comes when the test lets it: later than what they recall, as it does for a large repository.
    it1 = await product({
      mirror: (real) => ({
        ...real,
        has: (...which) => history.brought.then(() => real.has(...which)),
        fetch: (...which) => (history.away ? Promise.reject(new Error("GitHub is away.")) : real.fetch(...which)),
      }),
    });
    it1.played.reviews.push({ verdict: "approve", summary: "good", findings: [], lessons: ["Round at the end."] });
    it1.played.mergeAnswers.push({ kind: "merged", sha: merged });
    await it1.run(repository, 1, DISCOUNT);
    await written(repository);
  });

  async function toldTo(issue: number, text = ALIKE): Promise<RememberedIssues & { notices: string[] }> {
    // Of its own: what other tests here reverted must not be told of it.
    it1.played.mergeAnswers.push({ kind: "merged", sha: String(issue).repeat(40) });
    let bring = (): void => {};
    history.brought = new Promise((resolve) => (bring = resolve));
    const { briefs, status } = await it1.run(repository, issue, text);
    bring();
    const { recalled } = briefs.get("classifier") as BriefRef & { kind: "classify" };
    const told = (await readRecalled<RememberedIssues>(it1.artifacts, recalled!.issues))!;
    return { ...told, notices: status.notices.map((notice) => notice.text) };
  }
  const takeBack = (commit: string): string => {
    const hash = bench.change({}, `Revert "It"\n\nThis reverts commit ${commit}.`);
    publish();
    return hash;
  };

  it("is no good example to the very next run, before any index knows of it", async () => {
    const reverting = takeBack(merged);
    const told = await toldTo(2);
    expect(told.similar.filter(({ issue }) => issue === 1)).toMatchObject([{ outcome: "merged", reverted: true }]);
    expect(told.lessons).toEqual([]);
    expect(told.notices).toEqual([]);

    // And is one again as soon as the revert is taken back.
    takeBack(reverting);
    const again = await toldTo(3, DISCOUNT);
    expect(again.similar.filter(({ issue }) => issue === 1)).toMatchObject([{ outcome: "merged", reverted: false }]);
    expect(again.lessons).toEqual([{ issue: 1, text: "Round at the end." }]);
  });

  it("is told without a word of praise where the history cannot be read, and the status says so", async () => {
    history.away = true;
    const told = await toldTo(4);
    history.away = false;
    expect(told.similar[0]).toMatchObject({ issue: 2, outcome: "merged", reverted: null });
    expect(told.notices.join()).toContain(
      "Whether earlier solutions were reverted lately is not known: GitHub is away.",
    );
  });
});

describe("what people tell the memory", () => {
  it("is kept when they may write, acknowledged, and shown to the next run", async () => {
    const it2 = await product();
    const repository = fresh();
    const teach = (text: string): Intent => ({ kind: "teach", issue: 7, text, commentId: 70 });
    expect(await it2.deliver(teach("mara says never touch generated files"), repository)).toContain("told the memory");
    expect(await it2.deliver(teach("rita says always merge at once"), repository)).toContain("ignored");
    await written(repository);
    expect(await memoriesOf(it2, repository)).toMatchObject([
      { kind: "taught", by: "mara", issue: 7, text: "mara says never touch generated files" },
    ]);
    expect(it2.reactions).toEqual([[repository, { comment: 70 }, "+1"]]);
    // GitHub may be away when the reaction is due.
    const unseen = { kind: "teach", issue: 7, text: "mara says mind the umlauts", commentId: 404 } as const;
    expect(await it2.deliver(unseen, repository)).toContain("told the memory");
    await written(repository);
    const { briefs } = await it2.run(repository, 8, DISCOUNT);
    const { recalled } = briefs.get("planner") as BriefRef & { kind: "plan" };
    const told = await readRecalled<RememberedIssues>(it2.artifacts, recalled!.issues);
    expect(told!.taught.map(({ by, text }) => `${by}: ${text}`).sort()).toEqual([
      "mara: mara says mind the umlauts",
      "mara: mara says never touch generated files",
    ]);
  });

  it("is without its secrets from the first on: in Temporal's history of the writer as in the store", async () => {
    const it2 = await product();
    const repository = fresh();
    const text = `mara says log in as a-secret-of-the-worker or ghp_${"x".repeat(36)}`;
    expect(await it2.deliver({ kind: "teach", issue: 7, text, commentId: 70 }, repository)).toContain(
      "told the memory",
    );
    await written(repository);
    const said = "mara says log in as [redacted: known-secret] or [redacted: github-token]";
    expect(await memoriesOf(it2, repository)).toMatchObject([{ kind: "taught", text: said }]);
    const { events } = await client.workflow.getHandle(memoryWorkflowId(repository)).fetchHistory();
    const order = events!.find(({ workflowExecutionSignaledEventAttributes: told }) => told != null);
    const handed = Buffer.from(order!.workflowExecutionSignaledEventAttributes!.input!.payloads![0]!.data!).toString();
    expect(handed).toContain(said);
    for (const secret of ["a-secret-of-the-worker", "ghp_"]) expect(handed).not.toContain(secret);
  });

  it("goes, with everything else, when the repository goes", async () => {
    const it3 = await product();
    const [gone, kept] = [fresh(), fresh()];
    for (const repository of [gone, kept]) {
      await it3.run(repository, 1, DISCOUNT);
      await written(repository);
    }
    expect(await it3.deliver({ kind: "forget", repositories: [gone] }, gone)).toContain("forgetting");
    await written(gone);
    expect(await memoriesOf(it3, gone)).toEqual([]);
    await expect(it3.memory.code.search(scopeOfRepository(gone), "discount", { limit: 1, signal })).rejects.toThrow(
      "not indexed",
    );
    expect(await memoriesOf(it3, kept)).toHaveLength(2);
    expect(await it3.memory.code.search(scopeOfRepository(kept), "discount", { limit: 1, signal })).toMatchObject([
      { path: "src/invoice.js" },
    ]);
  });
});

describe("the upkeep of the memory", () => {
  it("forgets what is past its time or too much of one issue, and never what people taught", async () => {
    const it7 = await product({ settings: { memory: { retention_days: 90, max_memories_per_issue: 2 } } });
    const repository = fresh();
    const days = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString();
    const lesson = (id: string, issue: number, ago: number): Memory => {
      return { kind: "lesson", id, issue, at: days(ago), text: id, confirmed: true, of: "resolution-x" };
    };
    const { experience } = it7.memory;
    const said = experience.taught({ text: "Keep it.", by: "mara", issue: null, at: days(400) });
    await experience.store(
      scopeOfRepository(repository),
      [lesson("old", 1, 91), lesson("young", 1, 1), lesson("b1", 2, 3), lesson("b2", 2, 2), lesson("b3", 2, 1), said],
      signal,
    );
    const report = await client.workflow.execute("memoryRetention", {
      taskQueue: it7.taskQueue,
      workflowId: `upkeep-${randomUUID()}`,
    });
    expect(report).toEqual({ repositories: 1, forgotten: 2, embedded: 0, lacking: null });
    const left = (await memoriesOf(it7, repository)).map(({ id }) => id);
    expect(left.toSorted()).toEqual(["b2", "b3", said.id, "young"].toSorted());
  });

  it("keeps an issue within its limit already when it is written", async () => {
    const it8 = await product({ settings: { memory: { max_memories_per_issue: 1 } } });
    const repository = fresh();
    await it8.run(repository, 1, DISCOUNT);
    await written(repository);
    expect((await memoriesOf(it8, repository)).map(({ kind }) => kind)).toEqual(["resolution"]);
  });
});

describe("a memory that is away", () => {
  let qdrant: PlayedQdrant;
  beforeAll(async () => {
    qdrant = await playQdrant();
  });
  afterAll(() => qdrant.close());

  it("is told in the status and stops no run, and gets what it missed when it is back, once", async () => {
    const it4 = await product({ qdrant: qdrant.url });
    const repository = fresh();
    qdrant.fail(503, 1_000_000);
    const { status } = await it4.run(repository, 1, DISCOUNT);
    expect(status.outcome).toMatchObject({ kind: "merged" });
    expect(status.notices).toMatchObject([{ about: "memory", text: expect.stringContaining("goes on without it") }]);
    qdrant.fail(0, 0);
    await written(repository);
    expect((await memoriesOf(it4, repository)).map(({ kind }) => kind).sort()).toEqual(["resolution", "workflow"]);
  });

  it("is told by another worker, once, when the one that had it to say is gone", async () => {
    const before = await product({ qdrant: qdrant.url });
    const repository = fresh();
    qdrant.fail(503, 1_000_000);
    await before.run(repository, 1, DISCOUNT);
    await before.stop();
    qdrant.fail(0, 0);
    const after = await product({ qdrant: qdrant.url, taskQueue: before.taskQueue });
    await written(repository);
    expect((await memoriesOf(after, repository)).map(({ kind }) => kind).sort()).toEqual(["resolution", "workflow"]);
  });

  it("that hangs is waited for no longer than a few seconds", async () => {
    const hanging = await hang();
    const it5 = await product({ qdrant: hanging.url });
    const startedAt = Date.now();
    const { status } = await it5.run(fresh(), 1, DISCOUNT);
    expect(Date.now() - startedAt).toBeLessThan(15_000);
    expect(status.outcome).toMatchObject({ kind: "merged" });
    expect(status.notices).toMatchObject([{ about: "memory" }]);
    await hanging.close();
  });

  it("with an embeddings service that refuses the key holds up nothing: what is written gets its vectors later", async () => {
    const service = await playEmbeddings({ apiKey: "key" });
    ends.push(() => service.close());
    const it9 = await product({ embeddings: { url: service.url, model: "m", apiKey: "key" } });
    const repository = fresh();
    const teach = (text: string): Intent => ({ kind: "teach", issue: 7, text, commentId: 70 });
    service.fail(401);
    await it9.deliver(teach("mara says the cart counts"), repository);
    await until(async () => (await memoriesOf(it9, repository)).length === 1);
    // The writer asks again within a minute; an order wakes it, and it asks then.
    service.fail(0);
    service.seen.length = 0;
    await it9.deliver(teach("mara says mind the umlauts"), repository);
    await written(repository);
    expect(service.seen.flatMap(({ body }) => body.input)).toEqual([
      "mara says mind the umlauts",
      "mara says the cart counts",
    ]);
    const { experience } = it9.memory;
    const left = await experience.embedRest(scopeOfRepository(repository), signal);
    expect(left).toEqual({ embedded: 0, lacking: null });
  });

  it("that is switched off is not asked at all", async () => {
    const it6 = await product({ settings: { memory: { enabled: false } } });
    const repository = fresh();
    const { status } = await it6.run(repository, 1, DISCOUNT);
    expect(status.notices).toEqual([]);
    await expect(client.workflow.getHandle(memoryWorkflowId(repository)).describe()).rejects.toThrow();
    await expect(client.workflow.getHandle(indexWorkflowId(repository)).describe()).rejects.toThrow();
  });
});
