/** How long a history gets at most, and that a worker which does not have it in memory is through with it in time. */
import { Worker } from "@temporalio/worker";
import { expect, it } from "vitest";
import { signals, updates, WORKFLOW_TASK_TIMEOUT } from "../../workflows/messages.ts";
import { workflowBundle } from "../support/temporal.ts";
import { playedRuns, reaches } from "./played-runs.ts";

const { client, start } = playedRuns();

it("a run goes on with a new history after 600 events, and the old one replays in a fraction of the time that there is", async () => {
  const { run, status } = await start();
  await reaches(status, "awaiting-approval");
  const { runId } = await run.describe();
  for (let said = 0; (await run.describe()).runId === runId; said += 1) {
    expect(said).toBeLessThan(200);
    await run.executeUpdate(updates.answer, { args: [{ by: "rita", text: "hm" }] }).catch(() => undefined);
  }
  const history = await client().workflow.getHandle(run.workflowId, runId).fetchHistory();
  expect(history.events!.length).toBeGreaterThanOrEqual(600);
  expect(history.events!.length).toBeLessThan(700);

  const replay = async (): Promise<number> => {
    const before = process.cpuUsage();
    await Worker.runReplayHistory({ workflowBundle: { codePath: workflowBundle() } }, history, run.workflowId);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  const timesMs = [await replay(), await replay(), await replay()];
  // Of the processor, as the tests beside this one take their share. Measured was a tenth of the 4 s; a slower machine may take more.
  expect(Math.min(...timesMs)).toBeLessThan(Number.parseInt(WORKFLOW_TASK_TIMEOUT, 10) * 250);

  await run.signal(signals.approveMerge, { by: "mara" });
  await expect(run.result()).resolves.toMatchObject({ kind: "merged" });
}, 120_000);
