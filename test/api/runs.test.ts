import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Client, Connection } from "@temporalio/client";
import { createIntake } from "../../api/intake.ts";
import { createRuns, MAX_LISTED } from "../../api/runs.ts";
import { ServiceUnavailable } from "../../domain/errors.ts";
import type { Delivery } from "../../domain/events.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { RepositorySettings } from "../../domain/settings.ts";
import { createTestApi, createWorld, delivery, opened, readinessOf, type World } from "./support.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

const start = (repository: string, issue = 5) => world.runs.startRun({ repository, issue, by: "ada", kind: "api" });
/** `send` answers before the workflow has closed. */
const ended = async (id: string) => {
  await vi.waitFor(async () => expect((await world.runs.getRun(id))?.execution.closedAt).not.toBeNull(), {
    timeout: 10_000,
  });
};

/**
 * Port 1 answers nobody: this is what a process has whose Temporal has gone away. Left open, because the SDK throws from a
 * timer when a connection is closed while one of its requests waits for another try.
 */
const clientOfNobody = () => new Client({ connection: Connection.lazy({ address: "127.0.0.1:1" }) });

describe("starting a run", () => {
  test("makes the workflow of the issue, in lower case, and only one", async () => {
    const repository = world.repository();
    const id = issueWorkflowId(repository, 5);
    expect(await start(repository)).toEqual({ kind: "started", id });
    expect(await start(repository.toUpperCase().replace("ACME", "acme"))).toEqual({ kind: "already-running", id });
    expect((await world.runs.getRun(id))?.repository).toBe(repository);
  });

  test("is done again after a run that ended unmerged, and not after a merge", async () => {
    const repository = world.repository();
    const { id } = await start(repository);
    expect(await world.runs.send(id, "reject", { by: "ada", reason: "not now" })).toEqual({ kind: "accepted" });
    await ended(id);
    expect(await start(repository)).toEqual({ kind: "started", id });
    expect(await world.runs.send(id, "approveMerge", { by: "ada" })).toEqual({ kind: "accepted" });
    await ended(id);
    expect(await start(repository)).toMatchObject({
      kind: "refused",
      why: "merged",
      reason: expect.stringContaining("bbbb"),
    });
  });

  test("is done again after a run that was cancelled or terminated", async () => {
    const repository = world.repository();
    const { id } = await start(repository);
    expect(await world.runs.cancel(id)).toEqual({ kind: "requested" });
    await ended(id);
    expect(await world.runs.getRun(id)).toMatchObject({
      phase: "cancelled",
      outcome: { kind: "cancelled" },
      execution: { state: "cancelled" },
    });
    expect(await start(repository)).toMatchObject({ kind: "started" });
    await world.client.workflow.getHandle(id).terminate("by hand");
    expect(await world.runs.getRun(id)).toMatchObject({
      phase: "failed",
      outcome: { kind: "failed", reason: expect.stringContaining("terminated") },
    });
    expect(await start(repository)).toMatchObject({ kind: "started" });
  });
});

describe("a run is told", () => {
  test("by its own status document", async () => {
    const { id } = await start(world.repository());
    expect(await world.runs.getRun(id)).toMatchObject({
      id,
      issue: 5,
      phase: "awaiting-approval",
      turns: 12,
      incomplete: null,
      execution: { state: "running", closedAt: null },
    });
  });

  test("also when it has ended", async () => {
    const { id } = await start(world.repository());
    await world.runs.send(id, "reject", { by: "ada", reason: "out of scope" });
    await ended(id);
    expect(await world.runs.getRun(id)).toMatchObject({
      phase: "declined",
      outcome: { kind: "declined", reason: "rejected by @ada: out of scope" },
    });
  });

  test("as not there when it is not, or is another kind of workflow", async () => {
    expect(await world.runs.getRun("issue/acme/nowhere/1")).toBeNull();
    const id = `delivery/${randomUUID()}`;
    await world.client.workflow.start("handleDelivery", { workflowId: id, taskQueue: world.taskQueue });
    expect(await world.runs.getRun(id)).toBeNull();
  });

  test("in the list, once for each issue, with a length that is capped", async () => {
    const repository = world.repository();
    const { id } = await start(repository);
    await world.runs.send(id, "reject", { by: "ada", reason: "again" });
    await ended(id);
    await start(repository);
    await vi.waitFor(
      async () => {
        const runs = await world.runs.listRuns({ limit: 1_000_000_000 });
        expect(runs.length).toBeLessThanOrEqual(MAX_LISTED);
        expect(runs.filter((run) => run.id === id)).toEqual([
          expect.objectContaining({ phase: "awaiting-approval", turns: 12 }),
        ]);
      },
      { timeout: 10_000 },
    );
    expect(await world.runs.listRuns({ limit: 1 })).toHaveLength(1);
  });
});

describe("what is said to a run", () => {
  test("comes back as a refusal with its reason, from the handler and from a validator", async () => {
    const { id } = await start(world.repository());
    expect(await world.runs.send(id, "approveMerge", { by: "stranger" })).toEqual({
      kind: "refused",
      reason: "@stranger has no permission.",
    });
    expect(await world.runs.send(id, "approveMerge", { by: "ada", sha: "c".repeat(40) })).toEqual({
      kind: "refused",
      reason: "The head has moved.",
    });
    expect(await world.runs.send(id, "pause", { by: "ada" })).toEqual({ kind: "accepted" });
    expect(await world.runs.send(id, "pause", { by: "ada" })).toEqual({
      kind: "refused",
      reason: "The run is paused already.",
    });
  });

  test("cannot reach a run that is not there, or that has ended", async () => {
    expect(await world.runs.send("issue/acme/nowhere/1", "pause", {})).toEqual({ kind: "not-found" });
    expect(await world.runs.cancel("issue/acme/nowhere/1")).toEqual({ kind: "not-found" });
    const { id } = await start(world.repository());
    await world.runs.send(id, "reject", { by: "ada", reason: "no" });
    await ended(id);
    expect(await world.runs.send(id, "pause", {})).toMatchObject({
      kind: "ended",
      reason: expect.stringContaining("completed"),
    });
    expect(await world.runs.cancel(id)).toMatchObject({ kind: "ended" });
  });
});

describe("without a worker", () => {
  const alone = () =>
    createRuns({
      client: world.client,
      settingsFor: () => ({ ...RepositorySettings.parse({}), prices: {} }),
      links: () => ({ page: null, webUi: null }),
      isKept: async () => true,
      taskQueue: `nobody-${randomUUID()}`,
    });
  const forget = (id: string) => world.client.workflow.getHandle(id).terminate("the test is over");

  test("a run is still known, and says why nothing more is", async () => {
    const runs = alone();
    const { id } = await runs.startRun({ repository: world.repository(), issue: 9, by: null, kind: "command-line" });
    expect(await runs.getRun(id)).toMatchObject({
      id,
      issue: 9,
      phase: "received",
      incomplete: expect.stringContaining("Is a worker up?"),
    });
    const listed = async () => (await runs.listRuns({ limit: MAX_LISTED })).find((run) => run.id === id);
    await vi.waitFor(async () => expect(await listed()).toMatchObject({ phase: "received" }), { timeout: 10_000 });
    await forget(id);
  });

  test("a message is said not to have been taken", { timeout: 30_000 }, async () => {
    const runs = alone();
    const { id } = await runs.startRun({ repository: world.repository(), issue: 9, by: null, kind: "command-line" });
    expect(await runs.send(id, "pause", { by: "ada" })).toMatchObject({
      kind: "no-answer",
      reason: expect.stringContaining("worker is up"),
    });
    await forget(id);
  });
});

describe("a delivery at Temporal", () => {
  const news = (guid: string): Delivery => ({
    guid,
    repository: "Acme/Shop",
    sender: null,
    at: "2026-01-01T00:00:00.000Z",
    intent: {
      kind: "signal",
      issue: 5,
      event: { kind: "checks-changed", sha: "a".repeat(40), at: "2026-01-01T00:00:00.000Z" },
    },
  });

  test("twenty times at once is one workflow, and each is accepted", async () => {
    const { app } = createTestApi({ intake: world.intake });
    const guid = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => app.request("/webhook/github", delivery(opened(), { guid }))),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array<number>(20).fill(202));
    const runs = await world.client.workflow.getHandle(`delivery/${guid}`).describe();
    expect(runs.status.name).toMatch(/RUNNING|COMPLETED/);
  });

  test("again after its workflow has ended is accepted and starts nothing", async () => {
    const guid = randomUUID();
    expect(await world.intake.accept(news(guid))).toBe("accepted");
    const first = world.client.workflow.getHandle(`delivery/${guid}`);
    await first.result();
    const { runId } = await first.describe();
    expect(await world.intake.accept(news(guid))).toBe("already-accepted");
    expect((await first.describe()).runId).toBe(runId);
  });

  test("that Temporal is too far away for is refused within ten seconds", { timeout: 30_000 }, async () => {
    const client = clientOfNobody();
    const { app } = createTestApi({ intake: createIntake(client) });
    const began = Date.now();
    expect((await app.request("/webhook/github", delivery(opened()))).status).toBe(503);
    expect(Date.now() - began).toBeLessThan(10_000);
    const runs = createRuns({
      client,
      settingsFor: () => ({ ...RepositorySettings.parse({}), prices: {} }),
      links: () => ({ page: null, webUi: null }),
      isKept: async () => true,
    });
    await expect(runs.listRuns()).rejects.toThrow(ServiceUnavailable);
  });
});

describe("readiness", () => {
  test("needs Temporal, and names what else is missing", async () => {
    const { app } = createTestApi({ readiness: readinessOf(world) });
    const ready = await app.request("/ready");
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({
      status: "ready",
      parts: { temporal: "ok", worker: "ok", webhook: "ok" },
      degraded: [],
    });

    const nobody = createTestApi({ readiness: readinessOf({ ...world, taskQueue: "nobody" }), secretsFor: () => [] });
    const degraded = await nobody.app.request("/ready");
    expect(degraded.status).toBe(200);
    expect(await degraded.json()).toMatchObject({ degraded: ["worker", "webhook"] });
  });

  test("fails when Temporal is away, while the process is alive", { timeout: 30_000 }, async () => {
    const { app } = createTestApi({ readiness: readinessOf({ ...world, client: clientOfNobody() }) });
    const response = await app.request("/ready");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ status: "not ready", degraded: ["worker"] });
    expect((await app.request("/health")).status).toBe(200);
  });
});
