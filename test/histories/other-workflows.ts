/** Workflows by the names of ours that do something else: a replay of a recorded history must notice it. */
import { sleep } from "@temporalio/workflow";

export async function resolveIssue(): Promise<void> {
  await sleep("1 minute");
}

export const runAgent = resolveIssue;
export const handleDelivery = resolveIssue;
export const reconcile = resolveIssue;
export const retention = resolveIssue;
export const memoryRetention = resolveIssue;
export const indexRepository = resolveIssue;
export const keepMemories = resolveIssue;
