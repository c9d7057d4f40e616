import type { Client } from "@temporalio/client";
import { afterAll, expect, it, vi } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { agentWorkflowId } from "../../domain/ids.ts";
import { replayRuns } from "../../workers/replay.ts";
import { signals } from "../../workflows/messages.ts";
import { playedRuns, reaches } from "../workflows/played-runs.ts";

// The tests' own workers have installed one, and a process has only one.
vi.mock(import("../../workers/log.ts"), async (original) => ({
  ...(await original()),
  installTemporalLog: () => undefined,
}));

const { client, start } = playedRuns();
const config = loadConfig({ env: {}, cwd: "/nowhere" });
const ends: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const end of ends) await end();
});

it("a run fits though Temporal has forgotten an agent of it that has ended; a run that is gone is told, and the rest is tried", async () => {
  const { run, status } = await start();
  ends.push(() => run.terminate());
  await reaches(status, "awaiting-approval");
  const planner = agentWorkflowId(run.workflowId, "planner", 1);
  expect(await tried(["issue/o/gone/1", run.workflowId], blindTo(planner))).toMatchObject([
    { workflowId: "issue/o/gone/1", runId: null, fits: null, reason: expect.stringContaining("does not know it") },
    { workflowId: run.workflowId, open: true, fits: true, reason: null },
  ]);
}, 120_000);

it("an agent that is gone, though its run waits for it, is told as what could not be replayed", async () => {
  const { run, status } = await start({ limits: { budget_usd: 0.015 } });
  ends.push(() => run.terminate());
  await reaches(status, ({ waitingFor }) => waitingFor?.kind === "budget");
  await run.signal(signals.pause, {});
  const history = await run.fetchHistory();
  const waiting = history.events!.findLast((event) => event.childWorkflowExecutionStartedEventAttributes);
  const agent = waiting!.childWorkflowExecutionStartedEventAttributes!.workflowExecution!.workflowId!;
  const results = await tried([run.workflowId], blindTo(agent));
  expect(results).toMatchObject([
    { workflowId: run.workflowId, fits: true },
    { workflowId: agent, runId: null, fits: null, reason: expect.stringContaining("does not know it") },
  ]);
}, 120_000);

async function tried(ids: readonly string[], by = client()) {
  const results = [];
  for await (const replayed of replayRuns(by, config, ids)) results.push(replayed);
  return results;
}

/** A client that asks Temporal for another, which there is not: what Temporal deletes is gone only after up to a minute. */
function blindTo(agent: string): Client {
  const { workflow } = client();
  const without = Object.create(workflow) as typeof workflow;
  without.getHandle = ((id: string, runId?: string) =>
    workflow.getHandle(id === agent ? `${id}/gone` : id, runId)) as typeof workflow.getHandle;
  return Object.create(client(), { workflow: { value: without } }) as Client;
}
