/** Whether our Temporal server serves repositories in turns, and urgent issues first, when more wait than there is room for. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RepositoryName } from "../../domain/ids.ts";
import { NativeConnection, Worker } from "@temporalio/worker";
import { expect, it } from "vitest";
import { priorityOf } from "../../domain/priority.ts";
import { runWorker, temporalAddress, temporalClient } from "../support/temporal.ts";

const BUSY = 60;

it("a repository with one issue is not behind another's sixty", async () => {
  expect((await served("acme/quiet", [])).indexOf("late")).toBeLessThan(5);
});

it("an urgent issue goes before those that came first", async () => {
  expect((await served("acme/busy", ["urgent"])).indexOf("late")).toBeLessThan(5);
});

it("an issue that can wait comes last, also of another repository", async () => {
  expect((await served("acme/quiet", ["someday"])).indexOf("late")).toBe(BUSY);
});

/** Queues steps of a busy repository's issues, then `late`, and tells in which order one worker got them. */
async function served(repository: RepositoryName, labels: string[]): Promise<string[]> {
  const client = await temporalClient();
  const crowded = `fairness-${randomUUID()}`;
  const { taskQueue, stop } = await runWorker({
    workflowsPath: fileURLToPath(new URL("queued-step.ts", import.meta.url)),
  });
  const order: string[] = [];
  const queue = async (name: string, of: RepositoryName, withLabels: string[]): Promise<void> => {
    const handle = await client.workflow.start("queuedStep", {
      workflowId: `${crowded}-${name}`,
      taskQueue,
      args: [crowded, name],
      priority: priorityOf(of, withLabels, { urgent: 1, someday: 5 }),
    });
    // Its step stands in the queue.
    while (((await handle.describe()).raw.pendingActivities ?? []).length === 0) await sleep(10);
  };
  await Promise.all(Array.from({ length: BUSY }, (_, number) => queue(`busy ${number}`, "acme/busy", [])));
  await queue("late", repository, labels);
  const connection = await NativeConnection.connect({ address: temporalAddress() });
  const worker = await Worker.create({
    connection,
    taskQueue: crowded,
    activities: { serve: async (name: string) => void order.push(name) },
    maxConcurrentActivityTaskExecutions: 1,
  });
  await worker.runUntil(async () => {
    while (order.length <= BUSY) await sleep(20);
  });
  await stop();
  await Promise.all([connection.close(), client.connection.close()]);
  return order;
}
