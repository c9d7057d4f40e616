/** Everything that is said to a run: its signals, their updates of the same name, its query. Shared with clients. */
import { defineQuery, defineSignal, defineUpdate } from "@temporalio/workflow";
import type { Base, RunRef } from "../activities/contract.ts";
import type { Delivery, IssueEvent, TriggerKind } from "../domain/events.ts";
import { deliveryWorkflowId, type RepositoryName, type Role } from "../domain/ids.ts";
import type { Classification, Plan } from "../domain/outputs.ts";
import { DELIVERY_PRIORITY, fairnessKeyOf } from "../domain/priority.ts";
import type { IndexRequest } from "../activities/memory-contract.ts";
import type { Memory } from "../domain/memory.ts";
import type { IssueSnapshot, RunStatus } from "../domain/run.ts";
import type { RunSettings } from "../domain/settings.ts";
import type { AgentProgress } from "./agent-messages.ts";
import type { CarriedRun } from "./carried-run.ts";
import type { TreeStart } from "./landmarks.ts";

/** The one task queue of workflows and activities. */
export const TASK_QUEUE = "mergewright";

/** A worker that dies while it decides what comes next: another decides after this, and not after Temporal's 10 s. It takes milliseconds; `history.ts` sees to it that a replay does, too. */
export const WORKFLOW_TASK_TIMEOUT = "4s" as const;

/** Names of the workflow types, as the Web UI and the Temporal CLI show them. */
export const RESOLVE_ISSUE = "resolveIssue";
export const HANDLE_DELIVERY = "handleDelivery";
export const INDEX_REPOSITORY = "indexRepository";
export const KEEP_MEMORIES = "keepMemories";

export interface ResolveIssueInput {
  repository: RepositoryName;
  issue: number;
  /** The issue as it was at the trigger; null: read from GitHub when the run starts. */
  snapshot: IssueSnapshot | null;
  trigger: { kind: TriggerKind; by: string | null; at: string; commentId: number | null };
  settings: RunSettings;
  /** Base of links to our page and to the Temporal Web UI, as people reach them; null where none is known. */
  links: { page: string | null; webUi: string | null };
  /** Set for a fork: the turn of another run that it goes on from. */
  fork?: Fork;
  /** Set by continue-as-new: where the story goes on, with a new history. */
  carried?: CarriedRun;
}

/** The roles whose conversations can be gone on from. */
export const FORK_ROLES = ["coder", "planner"] as const;
export type ForkRole = (typeof FORK_ROLES)[number];

export interface Fork {
  /** The run that it goes on from, and where that one's artifacts are. */
  of: Pick<RunRef, "id" | "runKey">;
  role: ForkRole;
  /** As the status counts them: from 1. */
  turn: number;
  /** What is said to the agent on top; null: nothing. */
  instruct: string | null;
  /** Set: the other run is ended in this person's name once the fork has a pull request. */
  replaces: { by: string } | null;
  /** False while the other run is open, which closes the issue itself. */
  closesIssue: boolean;
  base: Base;
  /** Of the coder, up to the one that it goes on in; none where a planner is gone on from. */
  trees: TreeStart[];
  classification: Classification;
  /** null: the fork makes its own. */
  plan: Plan | null;
}

export interface HandleDeliveryInput {
  delivery: Delivery;
}

/**
 * How a delivery is started, whoever found it: Temporal gives its id once, so that it is done once. One that failed is not done: sent
 * again, by hand or by the sweep, it gets another chance.
 */
export function deliveryStart(delivery: Delivery, taskQueue: string) {
  const input: HandleDeliveryInput = { delivery };
  return {
    workflowId: deliveryWorkflowId(delivery.guid),
    taskQueue,
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
    priority: { priorityKey: DELIVERY_PRIORITY, fairnessKey: fairnessKeyOf(delivery.repository) },
    args: [input],
    workflowIdReusePolicy: "ALLOW_DUPLICATE_FAILED_ONLY" as const,
    workflowIdConflictPolicy: "USE_EXISTING" as const,
    staticSummary: `${delivery.intent.kind} for ${delivery.repository}`,
  };
}

export const statusQuery = defineQuery<RunStatus>("status");
/** What a fork of the run needs to know. */
export const forkSourceQuery = defineQuery<ForkSource>("forkSource");
/** Answered by an agent: how far it has come, without waiting for its next report. */
export const agentProgressQuery = defineQuery<AgentProgress>("progress");

export interface ForkSource {
  runKey: string;
  settings: RunSettings;
  base: Base | null;
  classification: Classification | null;
  plan: Plan | null;
  trees: TreeStart[];
  /** Turns taken by each role, and the agent that may be taking another right now. */
  turns: Partial<Record<Role, number>>;
  atWork: { workflowId: string; role: Role } | null;
}

export interface ApproveMerge {
  by: string;
  sha?: string;
}
export interface ApprovePlan {
  by: string;
}
export interface RequestChanges {
  by: string;
  text: string;
}
export interface Reject {
  by: string;
  reason: string;
}
export interface Answer {
  by: string;
  text: string;
}
export interface Pause {
  by?: string;
}
export interface Resume {
  by?: string;
}
export interface RaiseBudget {
  by: string;
  usd: number;
}

/** Message name -> payload. A signal takes whatever arrives (`unknown`); an update answers with the refusal. */
export interface Messages {
  approveMerge: ApproveMerge;
  approvePlan: ApprovePlan;
  requestChanges: RequestChanges;
  reject: Reject;
  answer: Answer;
  pause: Pause;
  resume: Resume;
  raiseBudget: RaiseBudget;
}
export type MessageName = keyof Messages;
export const MESSAGE_NAMES = [
  "approveMerge",
  "approvePlan",
  "requestChanges",
  "reject",
  "answer",
  "pause",
  "resume",
  "raiseBudget",
] as const satisfies readonly MessageName[];

/** What an update answers when it was taken. A refusal fails the update with type `Refused`, so that the CLI prints it. */
export interface Receipt {
  accepted: true;
}

export const signals = Object.fromEntries(MESSAGE_NAMES.map((name) => [name, defineSignal<[unknown]>(name)])) as {
  [Name in MessageName]: ReturnType<typeof defineSignal<[unknown]>>;
};
export const updates = Object.fromEntries(
  MESSAGE_NAMES.map((name) => [name, defineUpdate<Receipt, [unknown]>(name)]),
) as {
  [Name in MessageName]: ReturnType<typeof defineUpdate<Receipt, [unknown]>>;
};
export const githubEventSignal = defineSignal<[IssueEvent]>("githubEvent");
export const githubEventUpdate = defineUpdate<Receipt, [IssueEvent]>("githubEvent");

/** What the one writer of a repository's memory is told, in order. */
export type MemoryOrder =
  /**
   * `since`: when what it is of began, so that it is not written where the repository was forgotten later. `revised`: they are there
   * already, and one that was forgotten meanwhile stays so. Builds from before say neither.
   */
  | { kind: "store"; memories: Memory[]; since?: string; revised?: true }
  /** `olderOnly`: only what was there at that time, which was of another repository of the same name. */
  | { kind: "forget"; at?: string; olderOnly?: true }
  /** It is called `to` now. `since`: when it was renamed on GitHub; `at`: when we heard of it. */
  | { kind: "move"; to: RepositoryName; at: string; since: string };
export const memoryOrderSignal = defineSignal<[MemoryOrder]>("order");
/** What the indexer of a repository is told; the newest counts. */
export const indexSignal = defineSignal<[IndexRequest]>("index");
