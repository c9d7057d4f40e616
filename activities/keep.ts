/** Hands work of the memory to the workflows that do it: one writer and one indexer for each repository. Durable once Temporal has it. */
import { Context } from "@temporalio/activity";
import type { RepositoryName } from "../domain/ids.ts";
import { indexWorkflowId, memoryWorkflowId } from "../domain/ids.ts";
import { BESIDE_PRIORITY, fairnessKeyOf } from "../domain/priority.ts";
import {
  INDEX_REPOSITORY,
  indexSignal,
  KEEP_MEMORIES,
  memoryOrderSignal,
  type MemoryOrder,
  WORKFLOW_TASK_TIMEOUT,
} from "../workflows/messages.ts";
import type { IndexRequest } from "./memory-contract.ts";

export async function orderOfMemory(repository: RepositoryName, order: MemoryOrder): Promise<void> {
  const { client, info } = Context.current();
  await client.workflow.signalWithStart(KEEP_MEMORIES, {
    workflowId: memoryWorkflowId(repository),
    taskQueue: info.taskQueue,
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
    signal: memoryOrderSignal,
    signalArgs: [order],
    priority: { priorityKey: BESIDE_PRIORITY, fairnessKey: fairnessKeyOf(repository) },
    args: [{ repository }],
    staticSummary: `writes what is remembered of ${repository}`,
  });
}

export async function orderOfIndex(request: IndexRequest): Promise<void> {
  const { client, info } = Context.current();
  await client.workflow.signalWithStart(INDEX_REPOSITORY, {
    workflowId: indexWorkflowId(request.repository),
    taskQueue: info.taskQueue,
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
    signal: indexSignal,
    signalArgs: [request],
    priority: { priorityKey: BESIDE_PRIORITY, fairnessKey: fairnessKeyOf(request.repository) },
    args: [{ repository: request.repository }],
    staticSummary: `indexes the code of ${request.repository}`,
  });
}

/** Ends the indexing of a repository that is to be forgotten; one that does not run is fine. */
export async function stopIndexing(repository: RepositoryName): Promise<void> {
  const handle = Context.current().client.workflow.getHandle(indexWorkflowId(repository));
  try {
    await handle.terminate("the repository is forgotten");
  } catch (error) {
    if ((error as Error).name !== "WorkflowNotFoundError") throw error;
  }
}
