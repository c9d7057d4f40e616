/** Tries whether the present workflow code still makes the decisions that a run has behind it, from its history alone. */
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { DeterminismViolationError } from "@temporalio/workflow";
import { Worker } from "@temporalio/worker";
import type { Config } from "../config/config.ts";
import { failureIn, nondeterminismIn } from "../domain/unfit.ts";
import { RESOLVE_ISSUE } from "../workflows/messages.ts";
import { createLog, installTemporalLog } from "./log.ts";
import { dataConverterFor, failureConverterFor } from "./payloads/data-converter.ts";
import { bundleCache, workflowBundle } from "./workflow-bundle.ts";

export interface Replayed {
  workflowId: string;
  /** Temporal's own id of this execution; null: there is none. */
  runId: string | null;
  /** Goes on with the present code. */
  open: boolean;
  /** null: it could not be tried. */
  fits: boolean | null;
  /** Why not; null where it fits. */
  reason: string | null;
}

type Execution = Pick<Replayed, "workflowId" | "open"> & { runId: string };
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
 * run. What Temporal does not know is told as that, and the rest is tried.
 */
export async function* replayRuns(client: Client, config: Config, ids: readonly string[]): AsyncGenerator<Replayed> {
  // What Temporal's core says of a workflow that does not fit stands in the answer.
  const log = createLog({ level: "fatal", output: process.stderr, secrets: config.secrets() });
  const { codePath } = await workflowBundle(bundleCache, failureConverterFor(config));
  const options = { workflowBundle: { codePath }, dataConverter: dataConverterFor(config) };
  for (const id of ids) {
    const run = await executionOf(client, id);
    const history = run && (await historyOf(client, run));
    if (run === null || history === null) {
      yield unknown(id);
      continue;
    }
    // Not before there is something to replay: Temporal's core lives until its last worker ends, and the process with it.
    installTemporalLog(log);
    yield replayed(run, await replay(options, run, history));
    for (const { id: agentId, ended } of agentsIn(history)) {
      const agent = await executionOf(client, agentId);
      // An agent that has done its part is not asked again by a run that goes on.
      if (agent !== null && run.open && !agent.open) continue;
      const past = agent && (await historyOf(client, agent));
      if (agent !== null && past !== null) yield replayed(agent, await replay(options, agent, past));
      // One that has ended is forgotten after its time, however long its run goes on.
      else if (!ended) yield unknown(agentId);
    }
  }
}

/** Null: Temporal knows none of that id. */
function executionOf(client: Client, id: string): Promise<Execution | null> {
  return known(async () => {
    const { workflowId, runId, status } = await client.workflow.getHandle(id).describe();
    return { workflowId, runId, open: status.name === "RUNNING" };
  });
}

function historyOf(client: Client, { workflowId, runId }: Execution): Promise<History | null> {
  return known(() => client.workflow.getHandle(workflowId, runId).fetchHistory());
}

async function known<T>(reading: () => Promise<T>): Promise<T | null> {
  try {
    return await reading();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** As the history of their run tells of them. */
function agentsIn({ events }: History): { id: string; ended: boolean }[] {
  const all = events ?? [];
  const ended = new Set(all.map((event) => endOfChild(event)?.workflowExecution?.workflowId));
  return all.flatMap((event) => {
    const id = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId;
    return id ? [{ id, ended: ended.has(id) }] : [];
  });
}

function endOfChild(event: NonNullable<History["events"]>[number]) {
  return (
    event.childWorkflowExecutionCompletedEventAttributes ??
    event.childWorkflowExecutionFailedEventAttributes ??
    event.childWorkflowExecutionCanceledEventAttributes ??
    event.childWorkflowExecutionTerminatedEventAttributes ??
    event.childWorkflowExecutionTimedOutEventAttributes
  );
}

function unknown(workflowId: string): Replayed {
  return { workflowId, runId: null, open: false, fits: null, reason: UNKNOWN };
}

const UNKNOWN =
  "Temporal does not know it: it was deleted, or its time in Temporal (the retention of the namespace) is over.";

async function replay(
  options: Parameters<typeof Worker.runReplayHistory>[0] & { dataConverter: ReturnType<typeof dataConverterFor> },
  { workflowId }: Execution,
  history: History,
): Promise<Error | null> {
  try {
    // A key that is missing is told here by its name; out of the replay it comes encrypted.
    const begun = history.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    for (const codec of options.dataConverter.payloadCodecs) await codec.decode(begun);
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
  return { ...execution, fits, reason: nondeterminismIn(error.message) ?? failureIn(error.message) };
}
