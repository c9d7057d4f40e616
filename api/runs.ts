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
import { priorityOf } from "../domain/priority.ts";
import { failureIn } from "../domain/unfit.ts";
import type { Outcome } from "../domain/run.ts";
import type { RunSettings } from "../domain/settings.ts";
import {
  RESOLVE_ISSUE,
  statusQuery,
  TASK_QUEUE,
  WORKFLOW_TASK_TIMEOUT,
  updates,
  type MessageName,
  type Messages,
  type ResolveIssueInput,
} from "../workflows/messages.ts";
import { startFork, type ForkResult, type ForkRun } from "./forks.ts";
import { viewOf, viewWithoutStatus, type Execution, type RunView } from "./run-view.ts";
import { CALL_TIMEOUT_MS, callTemporal, reasonOf } from "./temporal.ts";
import { whyUnfit } from "./unfit.ts";

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
  /** Starts a run beside another, from one of its turns. */
  fork(input: ForkRun): Promise<ForkResult>;
  /** Temporal's own cancellation. It carries nobody's authority: ask for permission before. */
  cancel(id: string): Promise<CancelResult>;
}

export interface RunsOptions {
  client: Client;
  settingsFor: (repository: RepositoryName) => RunSettings;
  /** Bases of the links that a run writes on GitHub, known only once the server listens. */
  links: () => ResolveIssueInput["links"];
  /** Whether the artifact store still has what the run of this key stored. */
  isKept: (runKey: string) => Promise<boolean>;
  now?: () => Date;
  /** Default: the product's one. */
  taskQueue?: string;
}

export const MAX_LISTED = 200;
const DEFAULT_LISTED = 50;
/** Temporal answers this itself, from its database. */
const DESCRIBE_TIMEOUT_MS = 5_000;
/** Long enough for a worker to replay a long history, short enough for a person to wait. */
const QUERY_TIMEOUT_MS = 3_000;
/** A run in a list, and all of them together: a stuck one must not hold up the others. */
const LISTED_QUERY_TIMEOUT_MS = 1_500;
const LISTING_TIMEOUT_MS = 4_000;
/** A run that did not answer is listed without its own words for this long. */
const SILENCE_MS = 20_000;
/** Each replays a whole history in a worker; the documents are kept, so that the next listings fill in the others. */
const ENDED_QUERIES_PER_LISTING = 4;
const KEPT_DOCUMENTS = 500;
const PARALLEL_QUERIES = 6;

export function createRuns({
  client,
  settingsFor,
  links,
  isKept,
  now = () => new Date(),
  taskQueue = TASK_QUEUE,
}: RunsOptions): Runs {
  /** Documents of ended runs by Temporal's run id: they do not change any more. */
  const kept = new Map<string, RunView>();
  /** Runs that did not answer, and until when lists do not ask them again. */
  const silent = new Map<string, number>();
  const call = <T>(what: string, make: () => Promise<T>, timeoutMs = CALL_TIMEOUT_MS) =>
    callTemporal(client, what, timeoutMs, make);

  async function describe(id: string): Promise<Execution | null> {
    try {
      const describing = () => client.workflow.getHandle(id).describe();
      const info = await call("describe the run", describing, DESCRIBE_TIMEOUT_MS);
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
    if (timeoutMs <= 0) return withoutStatus(info, "Its details are not known here yet; open it to see them.");
    try {
      const handle = client.workflow.getHandle(info.workflowId, info.runId);
      const status = await call("answer the query", () => handle.query(statusQuery), timeoutMs);
      const view = viewOf(info, status);
      if (view.execution.closedAt !== null) keep(kept, info.runId, view);
      return view;
    } catch (error) {
      keep(silent, info.runId, Date.now() + SILENCE_MS);
      const reason = failureIn(reasonOf(error));
      const unfit = await unfitness(info, reason);
      return withoutStatus(info, unfit ?? `The run itself did not answer (${reason}). Is a worker up?`);
    }
  }

  /** That the present code does not fit a run is worth a look at its history. */
  function unfitness(info: Execution, reason: string): Promise<string | null> {
    return call("tell the last events", () => whyUnfit(client, info, reason), DESCRIBE_TIMEOUT_MS);
  }

  /** Nobody took what was said: because of the code, or because no worker is there. */
  async function noAnswer(info: Execution): Promise<NotSent & { kind: "no-answer" }> {
    return { kind: "no-answer", reason: (await unfitness(info, "")) ?? NO_ANSWER };
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
            workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
            // The labels are not known yet.
            priority: priorityOf(repository, [], {}),
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
        const costly = info.status.name !== "RUNNING" && !kept.has(info.runId);
        const inVain =
          (silent.get(info.runId) ?? 0) > Date.now() || (costly && (endedQueries += 1) > ENDED_QUERIES_PER_LISTING);
        return view(info, inVain ? 0 : Math.min(LISTED_QUERY_TIMEOUT_MS, until - Date.now()));
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
        if (!(error instanceof WorkflowNotFoundError) && !(error instanceof ServiceUnavailable)) throw error;
        // When Temporal answers this, it is the worker that does not; when it is away too, this throws.
        const info = await describe(id);
        return unreachable(info) ?? noAnswer(info!);
      }
    },

    async fork(input) {
      const known = await describe(input.id);
      if (known === null) return { kind: "not-found" };
      const parts = { client, call, links: links(), at: now().toISOString(), taskQueue, isKept };
      try {
        return await startFork(parts, input, known.status.name === "RUNNING");
      } catch (error) {
        // When Temporal answers this, it is the worker that does not; when it is away too, this throws.
        if (!(error instanceof ServiceUnavailable) || (await describe(input.id)) === null) throw error;
        return noAnswer(known);
      }
    },

    async cancel(id) {
      // Asked first, because Temporal takes the cancellation of an ended workflow without a word.
      const absent = unreachable(await describe(id));
      if (absent) return absent;
      await call("cancel the run", () => client.workflow.getHandle(id).cancel());
      return { kind: "requested" };
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

/** Remembers up to {@link KEPT_DOCUMENTS}; the oldest makes room. */
function keep<T>(memory: Map<string, T>, runId: string, value: T): void {
  memory.delete(runId);
  memory.set(runId, value);
  const oldest = memory.keys().next();
  if (memory.size > KEPT_DOCUMENTS && !oldest.done) memory.delete(oldest.value);
}

const NO_ANSWER = `The run did not answer within ${CALL_TIMEOUT_MS / 1000} s. See that a worker is up, look at the run, and send it again if it had no effect.`;

/** Why nothing can be said to a run; null when something can. */
function unreachable(info: Execution | null): { kind: "not-found" } | { kind: "ended"; reason: string } | null {
  if (info === null) return { kind: "not-found" };
  if (info.status.name === "RUNNING") return null;
  const how = info.status.name.toLowerCase().replaceAll("_", " ");
  return { kind: "ended", reason: `The run has ended (${how}); nothing more can be said to it.` };
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
