/** The runs, for whoever asks about them or changes them: pages, JSON API and command line share this. */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from "@temporalio/client";
import { ServiceUnavailable } from "../domain/errors.ts";
import type { TriggerKind } from "../domain/events.ts";
import { issueWorkflowId, type RepositoryName } from "../domain/ids.ts";
import type { Outcome } from "../domain/run.ts";
import type { RunSettings } from "../domain/settings.ts";
import {
  RESOLVE_ISSUE,
  statusQuery,
  TASK_QUEUE,
  updates,
  type MessageName,
  type Messages,
  type ResolveIssueInput,
} from "../workflows/messages.ts";
import { viewOf, viewWithoutStatus, type Execution, type RunView } from "./run-view.ts";
import { CALL_TIMEOUT_MS, callTemporal, reasonOf } from "./temporal.ts";

export type { RunView } from "./run-view.ts";

export interface StartRun {
  repository: RepositoryName;
  issue: number;
  /** Who asked, as a GitHub login; null: whoever holds the machine or the API token. */
  by: string | null;
  kind: Extract<TriggerKind, "api" | "command-line">;
}

export type StartResult =
  | { kind: "started" | "already-running"; id: string }
  /** `merged`: done already. `unknown-ending`: it cannot be told how the earlier run ended. */
  | { kind: "refused"; id: string; why: "merged" | "unknown-ending"; reason: string };

export type SendResult = { kind: "accepted" } | NotSent;
export type CancelResult = { kind: "requested" } | Exclude<NotSent, { kind: "refused" }>;
type NotSent =
  | { kind: "refused"; reason: string }
  | { kind: "not-found" }
  /** The run is over: nothing can be said to it. */
  | { kind: "ended"; reason: string }
  /** No worker took it in time. It may still take effect when one comes back. */
  | { kind: "no-answer"; reason: string };

/** Every method throws ServiceUnavailable when Temporal does not answer in time. */
export interface Runs {
  /** Starts a run, or tells that one is under way. An issue that was merged is not started again. */
  startRun(input: StartRun): Promise<StartResult>;
  /** The latest runs, one for each issue, those under way first. `limit` is capped at {@link MAX_LISTED}. */
  listRuns(options?: { limit?: number }): Promise<RunView[]>;
  /** null: there is none under this id. */
  getRun(id: string): Promise<RunView | null>;
  /** Says something to a run and waits for its answer. Who may is decided by the run. */
  send<Name extends MessageName>(id: string, name: Name, payload: Messages[Name]): Promise<SendResult>;
  /** Temporal's own cancellation. It carries nobody's authority: ask for permission before. */
  cancel(id: string): Promise<CancelResult>;
}

export interface RunsOptions {
  client: Client;
  settingsFor: (repository: RepositoryName) => RunSettings;
  /** Bases of the links that a run writes on GitHub, known only once the server listens. */
  links: () => ResolveIssueInput["links"];
  now?: () => Date;
  /** Default: the product's one. */
  taskQueue?: string;
}

export const MAX_LISTED = 200;
const DEFAULT_LISTED = 50;
/** Long enough for a worker to replay a long history, short enough for a person to wait. */
const QUERY_TIMEOUT_MS = 3_000;
/** All queries of one listing together: without a worker each of them waits in vain. */
const LISTING_TIMEOUT_MS = 4_000;
/** Each replays a whole history in a worker; the documents are kept, so that the next listings fill in the others. */
const ENDED_QUERIES_PER_LISTING = 4;
const KEPT_DOCUMENTS = 500;
const PARALLEL_QUERIES = 6;

export function createRuns({
  client,
  settingsFor,
  links,
  now = () => new Date(),
  taskQueue = TASK_QUEUE,
}: RunsOptions): Runs {
  /** Documents of ended runs by Temporal's run id: they do not change any more. */
  const kept = new Map<string, RunView>();
  const call = <T>(what: string, make: () => Promise<T>, timeoutMs = CALL_TIMEOUT_MS) =>
    callTemporal(client, what, timeoutMs, make);

  async function describe(id: string): Promise<Execution | null> {
    try {
      const info = await call("describe the run", () => client.workflow.getHandle(id).describe());
      return info.type === RESOLVE_ISSUE ? info : null;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  }

  /** The status document of one execution; falls back to what Temporal knows by itself. */
  async function view(info: Execution, timeoutMs: number): Promise<RunView> {
    const known = kept.get(info.runId);
    if (known) return known;
    if (timeoutMs <= 0) return withoutStatus(info, "Its details were left out to answer in time; open it to see them.");
    try {
      const handle = client.workflow.getHandle(info.workflowId, info.runId);
      const status = await call("answer the query", () => handle.query(statusQuery), timeoutMs);
      const view = viewOf(info, status);
      if (view.execution.closedAt !== null) keep(view);
      return view;
    } catch (error) {
      return withoutStatus(info, `The run itself did not answer (${reasonOf(error)}). Is a worker up?`);
    }
  }

  async function withoutStatus(info: Execution, why: string): Promise<RunView> {
    return viewWithoutStatus(info, await outcomeOf(info), why);
  }

  /** The result of a completed workflow needs no worker. */
  async function outcomeOf(info: Execution): Promise<Outcome | null> {
    if (info.status.name !== "COMPLETED") return null;
    const handle = client.workflow.getHandle(info.workflowId, info.runId);
    const result: unknown = await call("tell the result", () => handle.result(), QUERY_TIMEOUT_MS).catch(() => null);
    return isOutcome(result) ? result : null;
  }

  function keep(view: RunView): void {
    kept.set(view.execution.runId, view);
    const oldest = kept.keys().next();
    if (kept.size > KEPT_DOCUMENTS && !oldest.done) kept.delete(oldest.value);
  }

  /** Why nothing reached the run, when Temporal says that there is none to reach. */
  async function absent(id: string): Promise<{ kind: "not-found" } | { kind: "ended"; reason: string }> {
    const info = await describe(id);
    if (info === null) return { kind: "not-found" };
    return {
      kind: "ended",
      reason: `The run has ended (${info.status.name.toLowerCase()}); nothing more can be said to it.`,
    };
  }

  return {
    async startRun({ repository, issue, by, kind }) {
      const id = issueWorkflowId(repository, issue);
      const earlier = await describe(id);
      if (earlier?.status.name === "RUNNING") return { kind: "already-running", id };
      if (earlier) {
        const refusal = await refuseAgain(earlier);
        if (refusal) return { kind: "refused", id, ...refusal };
      }
      const input: ResolveIssueInput = {
        repository,
        issue,
        snapshot: null,
        trigger: { kind, by, at: now().toISOString(), commentId: null },
        settings: settingsFor(repository),
        links: links(),
      };
      try {
        await call("start the run", () =>
          client.workflow.start(RESOLVE_ISSUE, {
            workflowId: id,
            taskQueue,
            args: [input],
            workflowIdConflictPolicy: "USE_EXISTING",
            // Without an earlier run known, one that came and went in between counts as under way.
            workflowIdReusePolicy: earlier ? "ALLOW_DUPLICATE" : "REJECT_DUPLICATE",
            staticSummary: `${repository}#${issue}`,
          }),
        );
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return { kind: "already-running", id };
        throw error;
      }
      return { kind: "started", id };
    },

    async listRuns({ limit = DEFAULT_LISTED } = {}) {
      const wanted = Math.min(Math.max(1, Math.trunc(limit) || DEFAULT_LISTED), MAX_LISTED);
      const found = await call("list the runs", () => newestOfEachIssue(client, wanted));
      const until = Date.now() + LISTING_TIMEOUT_MS;
      let endedQueries = 0;
      return mapInParallel(found, PARALLEL_QUERIES, (info) => {
        const ended = info.status.name !== "RUNNING";
        const ask = !ended || (!kept.has(info.runId) && (endedQueries += 1) <= ENDED_QUERIES_PER_LISTING);
        return view(info, ask ? Math.min(QUERY_TIMEOUT_MS, until - Date.now()) : 0);
      });
    },

    async getRun(id) {
      const info = await describe(id);
      return info && view(info, QUERY_TIMEOUT_MS);
    },

    async send(id, name, payload) {
      try {
        await call("deliver the message", () =>
          client.workflow.getHandle(id).executeUpdate(updates[name], { args: [payload] }),
        );
        return { kind: "accepted" };
      } catch (error) {
        if (error instanceof WorkflowUpdateFailedError) return { kind: "refused", reason: reasonOf(error) };
        if (error instanceof WorkflowNotFoundError) return absent(id);
        if (!(error instanceof ServiceUnavailable)) throw error;
        // Temporal itself answers, so it is the worker that does not. If Temporal is away too, this throws.
        const info = await describe(id);
        if (info === null) return { kind: "not-found" };
        const reason = `No worker took the message within ${CALL_TIMEOUT_MS / 1000} s. Start a worker, look at the run, and send it again if it had no effect.`;
        return { kind: "no-answer", reason };
      }
    },

    async cancel(id) {
      try {
        await call("cancel the run", () => client.workflow.getHandle(id).cancel());
        return { kind: "requested" };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return absent(id);
        throw error;
      }
    },
  };

  async function refuseAgain(earlier: Execution): Promise<{ why: "merged" | "unknown-ending"; reason: string } | null> {
    if (earlier.status.name !== "COMPLETED") return null;
    const { outcome } = await view(earlier, QUERY_TIMEOUT_MS);
    if (outcome === null) {
      const reason =
        "It cannot be told how the earlier run ended, and a merged issue must not be done again. Start a worker, then try again.";
      return { why: "unknown-ending", reason };
    }
    return outcome.kind === "merged"
      ? { why: "merged", reason: `The issue was already resolved: its change was merged as ${outcome.sha}.` }
      : null;
  }
}

/** Reruns and continued runs share their id; the first of each id in Temporal's order is the newest. */
async function newestOfEachIssue(client: Client, limit: number): Promise<Execution[]> {
  const newest = new Map<string, Execution>();
  const query = `WorkflowType = '${RESOLVE_ISSUE}' AND ExecutionStatus != 'ContinuedAsNew'`;
  for await (const info of client.workflow.list({ query, pageSize: Math.min(limit * 2, MAX_LISTED) })) {
    if (!newest.has(info.workflowId)) newest.set(info.workflowId, info);
    if (newest.size >= limit) break;
  }
  return [...newest.values()];
}

function isOutcome(value: unknown): value is Outcome {
  const kind: unknown = typeof value === "object" && value !== null ? (value as { kind?: unknown }).kind : undefined;
  return kind === "merged" || kind === "declined" || kind === "failed" || kind === "cancelled";
}

async function mapInParallel<T, R>(items: readonly T[], width: number, map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await map(items[index]!);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
