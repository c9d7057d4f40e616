/** A worker that comes up with another payload key than its runs were written with: people hear which one is missing. */
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { createRuns } from "../../api/runs.ts";
import { loadConfig } from "../../config/load.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { RESOLVE_ISSUE, statusQuery } from "../../workflows/messages.ts";
import { dataConverterFor, failureConverterFor } from "../../workers/payloads/data-converter.ts";
import { replayRuns } from "../../workers/replay.ts";
import { bundleCache, workflowBundle } from "../../workers/workflow-bundle.ts";
import { runWorker, temporalClient } from "../support/temporal.ts";
import { playActivities } from "../workflows/played-activities.ts";
import { reaches, runInput } from "../workflows/played-runs.ts";

// The tests' own workers have installed one, and a process has only one.
vi.mock(import("../../workers/log.ts"), async (original) => ({
  ...(await original()),
  installTemporalLog: () => undefined,
}));

const folder = mkdtempSync(join(tmpdir(), "wrong-key-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function withKey(id: string) {
  const env = { MERGEWRIGHT_PAYLOAD_KEY: `${id}:${randomBytes(32).toString("base64")}`, MERGEWRIGHT_HOME: folder };
  const config = loadConfig({ env, cwd: folder });
  const dataConverter = dataConverterFor(config);
  const bundle = { codePath: (await workflowBundle(bundleCache, failureConverterFor(config))).codePath };
  const client = await temporalClient({ dataConverter });
  const worker = (taskQueue: string) =>
    runWorker({ bundle, dataConverter, taskQueue, activities: { ...playActivities().activities } });
  return { config, client, worker };
}

it("a run whose key is not there is told with the key's name, by itself and by replay", async () => {
  const [first, second] = [await withKey("first"), await withKey("second")];
  const taskQueue = `wrong-key-${randomUUID()}`;
  const before = await first.worker(taskQueue);
  const repository = `o/r-${randomUUID().slice(0, 8)}`;
  const workflowId = issueWorkflowId(repository, 1);
  const run = await first.client.workflow.start(RESOLVE_ISSUE, {
    workflowId,
    taskQueue,
    args: [runInput(repository)],
  });
  await reaches(() => run.query(statusQuery), "awaiting-approval");
  await before.stop();

  const after = await second.worker(taskQueue);
  const runs = createRuns({
    client: second.client,
    settingsFor: () => runInput(repository).settings,
    links: () => ({ page: null, webUi: null }),
    isKept: async () => true,
  });
  // Asked before its code had anything to do, it can only say that it could not.
  expect((await runs.getRun(workflowId))?.incomplete).toContain("MERGEWRIGHT_PAYLOAD_KEY");
  const missing = expect.stringContaining("encrypted with the key first, which is not here (set here: second)");
  expect(await runs.send(workflowId, "pause", {})).toEqual({ kind: "no-answer", reason: missing });
  expect((await runs.getRun(workflowId))?.incomplete).toEqual(missing);

  const replayed = [];
  for await (const each of replayRuns(second.client, second.config, [workflowId])) replayed.push(each);
  expect(replayed).toMatchObject([{ workflowId, fits: null, reason: missing }]);
  expect(replayed[0]!.reason).not.toContain("Failure {");
  await run.terminate();
  await after.stop();
  for (const { client } of [first, second]) await client.connection.close();
}, 120_000);
