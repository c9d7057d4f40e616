import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runWorker, temporalClient } from "../support/temporal.ts";

test("a test runs a workflow with an activity on the shared Temporal server", async () => {
  const client = await temporalClient();
  const workflowsPath = fileURLToPath(new URL("fixtures/greeting.ts", import.meta.url));
  const worker = await runWorker({ workflowsPath, activities: { name: async () => "world" } });
  const answer = await client.workflow.execute("greeting", { taskQueue: worker.taskQueue, workflowId: randomUUID() });
  expect(answer).toBe("Hello, world");
  await worker.stop();
  await client.connection.close();
});

test("the shared Temporal server knows Mergewright's search attributes", async () => {
  const client = await temporalClient();
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace: "default" });
  const ours = Object.keys(customAttributes ?? {}).filter((name) => name.startsWith("Mergewright"));
  expect(ours.toSorted()).toEqual([
    "MergewrightCategory",
    "MergewrightCostUsd",
    "MergewrightIssue",
    "MergewrightPhase",
    "MergewrightPullRequest",
    "MergewrightRepository",
  ]);
  await client.connection.close();
});
