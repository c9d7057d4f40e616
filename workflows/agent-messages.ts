/** What a run and its agents tell each other. Not for people: they talk to the run. */
import { defineSignal } from "@temporalio/workflow";
import type { Base, BriefRef, Checkpoint, RunRef, Said } from "../activities/contract.ts";
import type { Role } from "../domain/ids.ts";
import type { WaitingFor } from "../domain/run.ts";
import type { RepositorySettings } from "../domain/settings.ts";
import type { Step } from "../domain/stuck.ts";

/** How far an agent has come: where its next round goes on, and what it has cost. */
export interface AgentProgress {
  /** The last stored turn of its conversation; null before the first. */
  previous: string | null;
  /** The last reply asked for tools: the next message of the user must answer these calls. */
  turn: number;
  checkpoint: Checkpoint | null;
  /** The task queue of the worker that keeps its sandbox; null: none does. */
  home: string | null;
  turns: number;
  modelCalls: number;
  costUsd: number;
  /** In and out. Absent when it comes from an older version. */
  tokens?: number;
}

/** Before the first turn. */
export const nothingYet: AgentProgress = {
  previous: null,
  turn: 0,
  checkpoint: null,
  home: null,
  turns: 0,
  modelCalls: 0,
  costUsd: 0,
};

export interface RunAgentInput {
  run: RunRef;
  role: Role;
  round: number;
  brief: BriefRef;
  base: Pick<Base, "commit">;
  /** A run that was started by an older version has no limit of tokens. */
  limits: Pick<RepositorySettings["limits"], "turns" | "minutes"> & { tokens?: number };
  /** What the run had spent when this agent began, and may spend, in US dollars. */
  spentUsd: number;
  budgetUsd: number;
  /** Where the sandboxes of the run live already: its own is opened there, too. */
  home: string | null;
  /** A conversation that goes on: this role's last round, or this round before continue-as-new. */
  from: AgentProgress | null;
  /** Set by continue-as-new, and after a rest: the round's own counters, and what its next turn says. */
  carried?: CarriedRound;
}

export interface CarriedRound {
  /** What builds from before count its working time by, with `idleMs`. */
  startedAt: number;
  before: { turns: number; costUsd: number; tokens?: number };
  nudges: number;
  paused: boolean;
  idleMs: number;
  pending: Said;
  /** How long it was worked on. Absent when it comes from an older version. */
  workedMs?: number;
  /** What it did lately, and when it was last told that it goes round in circles. */
  steps?: Step[];
  warnedAtTurn?: number | null;
  /** What it was waiting for: the wait goes on with it, and is no younger. */
  waitingFor?: WaitingFor | null;
  /** How often in a row its next turn has failed: who is away for long is asked for seldom, in the next history, too. */
  failures?: number;
}

export type AgentResult =
  | { kind: "answered"; text: string | null; data: unknown; progress: AgentProgress }
  | { kind: "gave-up"; reason: string; progress: AgentProgress }
  /** It was asked to, as the history of its run is long: the round goes on from here. */
  | { kind: "rested"; carried: CarriedRound; progress: AgentProgress };

export interface AgentReport {
  workflowId: string;
  role: Role;
  progress: AgentProgress;
  waitingFor: WaitingFor | null;
  /** Why the sandbox left its last home; null while it never did. */
  moved: string | null;
}

export const agentReportSignal = defineSignal<[AgentReport]>("agentReport");
export const pauseAgentSignal = defineSignal("pause");
export const resumeAgentSignal = defineSignal("resume");
export const restAgentSignal = defineSignal("rest");
export const budgetSignal = defineSignal<[number]>("budget");
