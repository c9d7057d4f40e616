/** Tries whether the present workflow code still makes the decisions that a run has behind it, from its history alone. */
import type { Client } from "@temporalio/client";
import { DeterminismViolationError } from "@temporalio/workflow";
import { Worker } from "@temporalio/worker";
import type { Config } from "../config/config.ts";
import { nondeterminismIn } from "../domain/unfit.ts";
import { RESOLVE_ISSUE } from "../workflows/messages.ts";
import { createLog, installTemporalLog } from "./log.ts";
import { dataConverterFor, failureConverterFor } from "./payloads/data-converter.ts";
import { bundleCache, workflowBundle } from "./workflow-bundle.ts";

export interface Replayed {
  workflowId: string;
  /** Temporal's own id of this execution. */
  runId: string;
  /** Goes on with the present code. */
  open: boolean;
  /** null: it could not be tried. */
  fits: boolean | null;
  /** Why not; null where it fits. */
  reason: string | null;
}

type Execution = Pick<Replayed, "workflowId" | "runId" | "open">;
type History = Awaited<ReturnType<ReturnType<Client["workflow"]["getHandle"]>["fetchHistory"]>>;

/** Workflow ids of all runs that are under way. */
export async function openRuns(client: Client): Promise<string[]> {
  const ids: string[] = [];
  const query = `WorkflowType = '${RESOLVE_ISSUE}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  return ids.toSorted();
}

/**
 * Replays runs and their agents: of an open run what goes on with it, of an ended one all. Nothing is written and no activity is
 * run. Throws WorkflowNotFoundError for a run that Temporal does not know.
 */
export async function* replayRuns(client: Client, config: Config, ids: readonly string[]): AsyncGenerator<Replayed> {
  // What Temporal's core says of a workflow that does not fit stands in the answer.
  const log = createLog({ level: "fatal", output: process.stderr, secrets: config.secrets() });
  const { codePath } = await workflowBundle(bundleCache, failureConverterFor(config));
  const options = { workflowBundle: { codePath }, dataConverter: dataConverterFor(config) };
  for (const id of ids) {
    const run = await executionOf(client, id);
    const history = await historyOf(client, run);
    // Not before there is something to replay: Temporal's core lives until its last worker ends, and the process with it.
    installTemporalLog(log);
    yield replayed(run, await replay(options, run, history));
    for (const agent of await agentsOf(client, run, history))
      yield replayed(agent, await replay(options, agent, await historyOf(client, agent)));
  }
}

async function executionOf(client: Client, id: string): Promise<Execution> {
  const { workflowId, runId, status } = await client.workflow.getHandle(id).describe();
  return { workflowId, runId, open: status.name === "RUNNING" };
}

function historyOf(client: Client, { workflowId, runId }: Execution): Promise<History> {
  return client.workflow.getHandle(workflowId, runId).fetchHistory();
}

/** An agent that has done its part is not asked again by a run that goes on. */
async function agentsOf(client: Client, run: Execution, { events }: History): Promise<Execution[]> {
  const started = (events ?? []).flatMap((event) => {
    const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId;
    return child ? [child] : [];
  });
  const agents = await Promise.all(started.map((id) => executionOf(client, id)));
  return agents.filter((agent) => agent.open || !run.open);
}

async function replay(
  options: Parameters<typeof Worker.runReplayHistory>[0],
  { workflowId }: Execution,
  history: History,
): Promise<Error | null> {
  try {
    await Worker.runReplayHistory(options, history, workflowId);
    return null;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

function replayed(execution: Execution, error: Error | null): Replayed {
  if (error === null) return { ...execution, fits: true, reason: null };
  const fits = error instanceof DeterminismViolationError ? false : null;
  return { ...execution, fits, reason: nondeterminismIn(error.message) ?? error.message };
}
