/** Retention over a real server and a real folder: what may go, and what somebody still needs. Later is a time that is passed in. */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, Connection } from "@temporalio/client";
import { Worker } from "@temporalio/worker";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RunNote, putJson, runNoteKey } from "../../activities/artifacts.ts";
import { createEncryptedArtifacts } from "../../activities/adapters/artifacts/encrypted.ts";
import { createFileArtifacts } from "../../activities/adapters/artifacts/file.ts";
import { removeExpired } from "../../activities/retention.ts";
import type { Artifacts } from "../../domain/ports.ts";
import { familyOf, payloadsHaveExpired, runHasExpired } from "../../domain/retention.ts";
import { dataConverterFor } from "../../workers/payloads/data-converter.ts";
import { workflowsWithPayloads } from "../../workers/payloads/stored.ts";
import { storedPayloads } from "../../workers/upkeep.ts";
import { runWorker, temporalClient, type RunningWorker } from "../support/temporal.ts";

const DAY_MS = 24 * 60 * 60_000;
const large = "x".repeat(5_000);
const workflowsPath = fileURLToPath(new URL("stand-in/workflows.ts", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "retention-test-"));
const artifactsConfig = { kind: "file", url: "", directory } as const;
const store: Artifacts = createFileArtifacts(directory);
const payloads = storedPayloads({
  artifacts: artifactsConfig,
  temporal: { namespace: "default" } as Parameters<typeof storedPayloads>[0]["temporal"],
});
const installation = { namespace: "default", namespaceId: "ours" };
const dataConverter = dataConverterFor({ artifacts: artifactsConfig, payloadKeys: [], inlinePayloadBytes: 1024 });
let client: Client;
let worker: RunningWorker;

beforeAll(async () => {
  client = await temporalClient({ dataConverter });
  worker = await runWorker({ dataConverter, workflowsPath, activities: { echo: async (text: string) => text } });
});
afterAll(async () => {
  await worker.stop();
  await client.connection.close();
  rmSync(directory, { recursive: true });
});
beforeEach(async () => {
  for (const folder of ["runs", "payloads"]) await store.remove(folder);
});

// An underscore has a meaning of its own in some listings.
const issue = () => `issue/acme/web_shop/${Math.floor(Math.random() * 1e9) + 1}`;
const start = (workflowId: string, type = "conversation") =>
  client.workflow.start(type, { args: [large], workflowId, taskQueue: worker.taskQueue });
const finish = async (workflowId: string) => {
  await client.workflow.getHandle(workflowId).signal("said", { text: "go" });
  return client.workflow.getHandle(workflowId).result();
};
const ended = async (workflowId: string) => {
  await start(workflowId);
  await finish(workflowId);
};

/** What a run keeps, as `openRun` and a turn leave it. */
async function keeps(id: string, note: Partial<RunNote> = {}, notes: Artifacts = store): Promise<string> {
  const runKey = randomUUID();
  await putJson(notes, runNoteKey(runKey), { id, ...installation, ...note });
  await store.put(`runs/${runKey}/agents/coder/turns/1.json`, Buffer.from("{}"));
  return runKey;
}
const kept = async (runKey: string) => (await store.get(`runs/${runKey}/agents/coder/turns/1.json`)) !== null;
const hasPayloads = async (workflowId: string) => (await workflowsWithPayloads(store, "default")).has(workflowId);
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);
const sweep = (now: Date, { days = 30, asked = client, artifacts = store } = {}) =>
  removeExpired({ artifacts, payloads, days, installation }, asked, now);
const listed = (workflowId: string, status: string) =>
  expect
    .poll(async () => {
      const query = `WorkflowId = '${workflowId}' AND ExecutionStatus = '${status}'`;
      return (await client.workflow.count(query)).count;
    })
    .toBeGreaterThan(0);
/** Temporal's listings may lag behind, or have been lost: this one shows nothing at all. */
const blind = () =>
  ({
    workflow: { getHandle: (id: string) => client.workflow.getHandle(id), list: async function* () {} },
  }) as unknown as Client;

it("what ended runs have stored goes after its time; a run that waits for months keeps everything, and then finishes", async () => {
  const [endedId, waitingId, terminatedId] = [issue(), issue(), issue()];
  await Promise.all([ended(endedId), start(waitingId), start(terminatedId)]);
  const keys = [await keeps(endedId), await keeps(terminatedId), await keeps(waitingId)];
  await client.workflow.getHandle(terminatedId).terminate();
  await listed(terminatedId, "Terminated");

  expect((await sweep(inDays(29))).runs).toBe(0);
  expect((await sweep(inDays(400), { days: 0 })).runs).toBe(0);
  expect(await Promise.all(keys.map(kept))).toEqual([true, true, true]);

  expect(await sweep(inDays(31))).toMatchObject({ runs: 2, unknown: 0, others: 0 });
  expect(await sweep(inDays(400))).toMatchObject({ runs: 0 });
  expect(await Promise.all(keys.map(kept))).toEqual([false, false, true]);
  expect(await under(`runs/${keys[0]}`)).toEqual([]);
  expect(await finish(waitingId)).toContain(large);
}, 60_000);

it("payloads stay as long as Temporal keeps a history of the issue, which replays with them, and go after it", async () => {
  const id = issue();
  await ended(id);
  const key = await keeps(id);
  expect(await sweep(inDays(400))).toMatchObject({ runs: 1, workflows: 0 });
  expect(await kept(key)).toBe(false);
  expect(await hasPayloads(id)).toBe(true);
  const history = await client.workflow.getHandle(id).fetchHistory();
  await Worker.runReplayHistory({ workflowsPath, dataConverter }, history, id);

  await forget(`${id}/child`);
  // The parent's history still names what its child was sent.
  await sweep(inDays(400));
  expect(await hasPayloads(`${id}/child`)).toBe(true);
  await forget(id);
  await forgotten(id);
  expect((await sweep(inDays(29))).workflows).toBe(0);
  expect((await sweep(inDays(31))).workflows).toBe(2);
  expect(await hasPayloads(id)).toBe(false);
}, 150_000);

it("a run that Temporal has forgotten goes when nothing was written for it for the time that is set", async () => {
  const key = await keeps(issue());
  expect((await sweep(inDays(29))).runs).toBe(0);
  expect((await sweep(inDays(31))).runs).toBe(1);
  expect(await kept(key)).toBe(false);
});

it("while a fork is open, the run that it came from keeps everything, and its siblings, too", async () => {
  const id = issue();
  const fork = `${id}/fork/1`;
  await Promise.all([ended(id), start(fork)]);
  const keys = [await keeps(id), await keeps(fork)];
  await sweep(inDays(31));
  expect(await Promise.all(keys.map(kept))).toEqual([true, true]);
  expect(await finish(fork)).toContain(large);
  await listed(fork, "Completed");
  await sweep(inDays(31));
  expect(await Promise.all(keys.map(kept))).toEqual([false, false]);
}, 60_000);

it("a reopened issue whose second run is at work keeps what the first one stored, and its own", async () => {
  const id = issue();
  await ended(id);
  const first = await keeps(id);
  await start(id);
  const second = await keeps(id);
  for (const asked of [client, blind()]) await sweep(inDays(31), { asked });
  expect(await Promise.all([first, second].map(kept))).toEqual([true, true]);
  expect(await finish(id)).toContain(large);
}, 60_000);

it("a run that went on with a new history is open, however old the one before it", async () => {
  const id = issue();
  const handle = await start(id, "renewed");
  const key = await keeps(id);
  await expect
    .poll(async () => (await client.workflow.getHandle(id).describe()).runId)
    .not.toBe(handle.firstExecutionRunId);
  for (const asked of [client, blind()]) await sweep(inDays(31), { asked });
  expect(await kept(key)).toBe(true);
  expect(await finish(id)).toContain(large);
}, 60_000);

it("an ended run that was reset is open again, and keeps what it has stored", async () => {
  const id = issue();
  const handle = await start(id);
  await finish(id);
  const key = await keeps(id);
  const events = (await handle.fetchHistory()).events ?? [];
  const completed = events.find((event) => event.workflowTaskCompletedEventAttributes);
  await client.workflowService.resetWorkflowExecution({
    namespace: "default",
    requestId: randomUUID(),
    reason: "test",
    workflowExecution: { workflowId: id, runId: handle.firstExecutionRunId },
    workflowTaskFinishEventId: completed!.eventId!,
    // The signal is not applied anew, so that it waits.
    resetReapplyType: 2,
  });
  for (const asked of [client, blind()]) await sweep(inDays(31), { asked });
  expect(await kept(key)).toBe(true);
  expect(await finish(id)).toContain(large);
}, 60_000);

describe("when Temporal's listings lag behind, or are lost", () => {
  it("open runs and forks are found by their ids, also a fork that has stored nothing yet", async () => {
    const [waiting, source, forgetful] = [issue(), issue(), issue()];
    const forks = [`${source}/fork/1`, `${source}/fork/2`];
    // Its second fork is older than its first, whose number had become free.
    const numberTakenAgain = `${forgetful}/fork/1`;
    await Promise.all([start(waiting), ended(source), ended(forks[0]!), start(forks[1]!), start(numberTakenAgain)]);
    const keys = [
      await keeps(waiting),
      await keeps(source),
      await keeps(forks[0]!),
      await keeps(forgetful),
      await keeps(`${forgetful}/fork/2`),
    ];
    await store.remove("payloads");
    expect((await sweep(inDays(400), { asked: blind() })).runs).toBe(0);
    expect(await Promise.all(keys.map(kept))).toEqual(keys.map(() => true));
    await Promise.all([waiting, forks[1]!, numberTakenAgain].map((id) => client.workflow.getHandle(id).terminate()));
  }, 60_000);

  it("a run that ended just now after a long wait is kept for its time from the end on", async () => {
    const id = issue();
    await ended(id);
    const key = await keeps(id);
    const { closeTime } = await client.workflow.getHandle(id).describe();
    const asIfWrittenLongAgo: Artifacts = {
      ...store,
      list: async function* (folder) {
        for await (const { key: name } of store.list(folder)) yield { key: name, changedAt: new Date(0) };
      },
    };
    const later = new Date(closeTime!.getTime() + 29 * DAY_MS);
    expect((await sweep(later, { asked: blind(), artifacts: asIfWrittenLongAgo })).runs).toBe(0);
    expect(await kept(key)).toBe(true);
  }, 60_000);

  it("nothing is removed while Temporal cannot be asked, by id or by listing", async () => {
    const id = issue();
    await ended(id);
    const key = await keeps(id);
    const connection = Connection.lazy({ address: "127.0.0.1:1" });
    const unreachable = new Client({ connection });
    const half = {
      workflow: {
        getHandle: (each: string) => client.workflow.getHandle(each),
        list: (options: { query: string }) => unreachable.workflow.list(options),
      },
    } as unknown as Client;
    for (const asked of [unreachable, half]) {
      await expect(connection.withDeadline(Date.now() + 3_000, () => sweep(inDays(400), { asked }))).rejects.toThrow();
    }
    expect(await kept(key)).toBe(true);
    expect(await hasPayloads(id)).toBe(true);
    await connection.close();
  }, 60_000);
});

it("what belongs to runs of another Temporal server, or cannot be told, stays; so do payloads that may be its", async () => {
  const id = issue();
  await ended(id);
  await forget(id);
  await forget(`${id}/child`);
  await forgotten(id);
  const encryption = [{ id: "theirs", key: randomBytes(32) }];
  const others = await keeps(id, { namespaceId: "another" });
  const noted = createEncryptedArtifacts(store, []);
  const encrypted = await keeps(id, {}, createEncryptedArtifacts(store, encryption));
  const nobodys = randomUUID();
  await store.put(`runs/${nobodys}/agents/coder/turns/1.json`, Buffer.from("{}"));
  const report = await sweep(inDays(400), { artifacts: noted });
  expect(report).toMatchObject({ runs: 0, workflows: 0, others: 1, unknown: 2 });
  expect(await Promise.all([others, encrypted, nobodys].map(kept))).toEqual([true, true, true]);
  expect(await hasPayloads(id)).toBe(true);
}, 150_000);

it("payloads of a workflow that begins while its old ones are removed stay", async () => {
  const id = issue();
  await ended(id);
  const one = (await under("payloads")).find((key) => !key.includes("child"));
  const between = new Date(Date.now() + 50);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const fresh = `${one!.slice(0, one!.lastIndexOf("/"))}/new`;
  await store.put(fresh, Buffer.from("new"));
  await payloads.remove(id, between);
  expect((await under("payloads")).filter((key) => !key.includes("child"))).toEqual([fresh]);
}, 60_000);

async function forget(workflowId: string): Promise<void> {
  await client.workflowService.deleteWorkflowExecution({ namespace: "default", workflowExecution: { workflowId } });
}

/** Temporal deletes histories in the background. */
async function forgotten(family: string): Promise<void> {
  const found = async (): Promise<number> => {
    const known = await Promise.all(
      [family, `${family}/child`].map((id) =>
        client.workflow
          .getHandle(id)
          .describe()
          .then(
            () => 1,
            () => 0,
          ),
      ),
    );
    const { count } = await client.workflow.count(`WorkflowId STARTS_WITH '${family}'`);
    return count + known[0]! + known[1]!;
  };
  await expect.poll(found, { timeout: 100_000 }).toBe(0);
}

async function under(folder: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(folder)) keys.push(key);
  return keys;
}

describe("the decision", () => {
  const now = new Date("2026-03-01T00:00:00Z");
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS);
  it.each([
    ["ended long ago", { open: false, endedAt: daysAgo(31) }, daysAgo(32), 30, true, false],
    ["ended lately", { open: false, endedAt: daysAgo(29) }, daysAgo(32), 30, false, false],
    ["open, and never ended before", { open: true, endedAt: null }, daysAgo(90), 30, false, false],
    ["open, and ended once", { open: true, endedAt: daysAgo(90) }, daysAgo(90), 30, false, false],
    ["written to lately", { open: false, endedAt: daysAgo(31) }, daysAgo(1), 30, false, false],
    ["forgotten by Temporal, and old", { open: false, endedAt: null }, daysAgo(31), 30, true, true],
    ["not known to Temporal yet", { open: false, endedAt: null }, daysAgo(0), 30, false, false],
    ["written in the future, by a wrong clock", { open: false, endedAt: null }, daysAgo(-5), 30, false, false],
    ["nothing is stored for it", { open: false, endedAt: null }, null, 30, false, false],
    ["nothing is stored for it, and it ended", { open: false, endedAt: daysAgo(31) }, null, 30, false, false],
    ["kept for ever", { open: false, endedAt: null }, daysAgo(900), 0, false, false],
    ["a short setting", { open: false, endedAt: null }, daysAgo(0.02), 0.01, true, true],
  ])("%s", (_, state, written, days, run, stored) => {
    expect(runHasExpired(state, written, now, days)).toBe(run);
    expect(payloadsHaveExpired(state, written, now, days)).toBe(stored);
  });

  it.each([
    ["issue/a/b/1", "issue/a/b/1"],
    ["issue/a/b/1/coder/2", "issue/a/b/1"],
    ["issue/a/b/1/fork/2/coder", "issue/a/b/1"],
    ["issue/a/b/12", "issue/a/b/12"],
    ["delivery/x", "delivery/x"],
    ["upkeep/retention-2026", "upkeep/retention-2026"],
  ])("%s belongs to %s", (id, family) => expect(familyOf(id)).toBe(family));
});
