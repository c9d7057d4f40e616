/** Starts a run that goes on from an earlier turn of another. */
import { type Client, WorkflowExecutionAlreadyStartedError } from "@temporalio/client";
import { issueWorkflowId, parseIssueWorkflowId } from "../domain/ids.ts";
import { priorityOf } from "../domain/priority.ts";
import {
  agentProgressQuery,
  type Fork,
  FORK_ROLES,
  type ForkRole,
  type ForkSource,
  forkSourceQuery,
  RESOLVE_ISSUE,
  type ResolveIssueInput,
  WORKFLOW_TASK_TIMEOUT,
} from "../workflows/messages.ts";

export interface ForkRun {
  /** Workflow id of the run to go on from. */
  id: string;
  role: ForkRole;
  /** As the status counts them: from 1. */
  turn: number;
  instruct: string | null;
  /** Who asked, as a GitHub login; null: whoever holds the machine. */
  by: string | null;
  /** Ends the other run, in the name of `by`, once the fork has a pull request. */
  replace: boolean;
  kind: ResolveIssueInput["trigger"]["kind"];
}

export type ForkResult =
  | { kind: "forked"; id: string }
  | { kind: "refused"; reason: string }
  | { kind: "not-found" }
  /** No worker took the question in time. */
  | { kind: "no-answer"; reason: string };

export interface ForkParts {
  client: Client;
  call: <T>(what: string, make: () => Promise<T>) => Promise<T>;
  links: ResolveIssueInput["links"];
  at: string;
  taskQueue: string;
  /** Whether the artifact store still has what the run of this key stored. */
  isKept: (runKey: string) => Promise<boolean>;
}

/** More forks of one issue are a loop, not a person. */
const MAX_FORKS = 500;

export async function startFork(parts: ForkParts, input: ForkRun, open: boolean): Promise<ForkResult> {
  const { client, call } = parts;
  const { repository, issue } = parseIssueWorkflowId(input.id)!;
  const source = await call("tell what it stands on", () => client.workflow.getHandle(input.id).query(forkSourceQuery));
  const { classification } = source;
  const trees = input.role === "coder" ? source.trees.filter(({ since }) => since < input.turn) : [];
  // What a planner had read was there before any tree of the coder.
  const base = trees.at(-1)?.base ?? source.trees[0]?.base ?? source.base;
  const refusal = refuseTurn(input, await turnsOf(parts, source, input.role));
  if (refusal !== null) return { kind: "refused", reason: refusal };
  if (base === null || classification === null)
    return { kind: "refused", reason: `${input.id} has no base yet to go on from.` };
  if (!(await parts.isKept(source.runKey))) return { kind: "refused", reason: gone(input.id) };
  const fork: Fork = {
    of: { id: input.id, runKey: source.runKey },
    role: input.role,
    turn: input.turn,
    instruct: input.instruct,
    replaces: input.replace && input.by !== null ? { by: input.by } : null,
    closesIssue: input.replace || !open,
    base,
    trees,
    classification,
    plan: input.role === "planner" ? null : source.plan,
  };
  const { by, kind } = input;
  const start: ResolveIssueInput = {
    repository,
    issue,
    snapshot: null,
    trigger: { kind, by, at: parts.at, commentId: null },
    settings: source.settings,
    links: parts.links,
    fork,
  };
  for (let number = 1; number <= MAX_FORKS; number += 1) {
    const id = issueWorkflowId(repository, issue, number);
    if (await isStarted(parts, id, start)) return { kind: "forked", id };
  }
  return { kind: "refused", reason: `There are ${MAX_FORKS} forks of this issue already.` };
}

/** False: the number is taken. */
async function isStarted(
  { client, call, taskQueue }: ForkParts,
  id: string,
  input: ResolveIssueInput,
): Promise<boolean> {
  const { of, role, turn } = input.fork!;
  try {
    await call("start the fork", () =>
      client.workflow.start(RESOLVE_ISSUE, {
        workflowId: id,
        taskQueue,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
        priority: priorityOf(input.repository, [], {}),
        args: [input],
        workflowIdReusePolicy: "REJECT_DUPLICATE",
        staticSummary: `${of.id} from turn ${turn} of its ${role}`,
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** An agent at work tells more than its last report to the run. */
async function turnsOf({ client, call }: ForkParts, { turns, atWork }: ForkSource, role: ForkRole): Promise<number> {
  const told = turns[role] ?? 0;
  if (atWork?.role !== role) return told;
  const asking = () => client.workflow.getHandle(atWork.workflowId).query(agentProgressQuery);
  return Math.max(told, (await call("tell how far its agent is", asking)).turns);
}

function refuseTurn({ id, role, turn }: ForkRun, taken: number): string | null {
  if (turn >= 1 && turn <= taken) return null;
  return taken === 0
    ? `The ${role} of ${id} has not taken a turn yet.`
    : `The ${role} of ${id} has no turn ${turn}: it has taken ${taken}. Name one from 1 to ${taken}.`;
}

function gone(id: string): string {
  return `What ${id} had stored is not in the artifact store any more, so nothing can go on from it. It is removed some time after the end of a run: retention.artifacts_days.`;
}

export function isForkRole(text: string): text is ForkRole {
  return (FORK_ROLES as readonly string[]).includes(text);
}
