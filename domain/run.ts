/** The vocabulary of a run: what a person sees when they ask how an issue is doing. No values from libraries here. */
import type { RepositoryName, Role } from "./ids.ts";

/** Where a run stands, in plain words. */
export type Phase =
  | "received"
  | "classifying"
  | "planning"
  | "awaiting-plan-approval"
  | "working"
  | "verifying"
  | "opening-pull-request"
  | "reviewing"
  | "awaiting-checks"
  | "awaiting-approval"
  | "merging"
  | "merged"
  | "declined"
  | "failed"
  | "cancelled"
  | "paused";

export type Category =
  | "bug"
  | "feature"
  | "documentation"
  | "refactoring"
  | "test"
  | "maintenance"
  | "question"
  | "invalid";

/** Who or what the run waits for. `detail` says it in one sentence, with what to do. */
export interface WaitingFor {
  kind: "plan-approval" | "approval" | "checks" | "budget" | "answer" | "operator" | "outage" | "rate-limit" | "resume";
  /** ISO 8601. */
  since: string;
  /** ISO 8601: when it goes on by itself, where time alone decides. */
  until?: string;
  detail?: string;
}

export interface PullRequestRef {
  number: number;
  url: string;
  headSha: string;
}

export interface AgentStatus {
  role: Role;
  turns: number;
  costUsd: number;
  state: "running" | "done" | "failed";
}

/** What one test command did in one clean sandbox. */
export interface TestRun {
  on: "base" | "base-with-new-tests" | "branch";
  /** null: it did not end by itself (time limit, out of memory, lost). */
  exitCode: number | null;
  /** It was tried several times, and each time took what runs it along. Absent: it did not. */
  killedItself?: true;
  /** Head and tail of what it printed, already cut and cleaned of control characters. */
  output: string;
  durationMs: number;
}

export interface Evidence {
  /** The new tests fail on the base: null when that was not, or could not be, tried. */
  failsOnBase: boolean | null;
  /** The whole suite passes on the branch. */
  passesOnBranch: boolean | null;
  command: string | null;
  outputs: TestRun[];
}

/** A message that was not obeyed, and why. */
export interface Refusal {
  message: string;
  by: string | null;
  reason: string;
  /** ISO 8601. */
  at: string;
}

export type Outcome = { kind: "merged"; sha: string } | { kind: "declined" | "failed" | "cancelled"; reason: string };

/** The document that the query `status` answers with. */
export interface RunStatus {
  id: string;
  repository: RepositoryName;
  issue: number;
  title: string;
  phase: Phase;
  phases: { phase: Phase; at: string }[];
  category: Category | null;
  plan: string | null;
  pullRequest: PullRequestRef | null;
  turns: number;
  modelCalls: number;
  costUsd: number;
  budgetUsd: number;
  waitingFor: WaitingFor | null;
  agents: AgentStatus[];
  /** Where its sandboxes have lived, the newest last: a lost worker's runs go on elsewhere from their last checkpoint. */
  hosts: { home: string; since: string; why: string }[];
  evidence: Evidence;
  refused: Refusal[];
  /** What changed around the run and did not stop it; the newest of each kind. */
  notices: { about: string; text: string; at: string }[];
  outcome: Outcome | null;
  /** Set for a fork: the run and the turn of its agent that it goes on from. */
  fork?: { of: string; role: Role; turn: number };
}

/** An issue as it was when the run was triggered. What is edited later does not count. */
export interface IssueSnapshot {
  repository: RepositoryName;
  number: number;
  title: string;
  body: string;
  author: string | null;
  labels: string[];
  url: string;
  /** ISO 8601, when GitHub last changed it. */
  updatedAt: string;
}

export type Permission = "admin" | "maintain" | "write" | "triage" | "read" | "none";

/** May this permission start, approve and command a run? */
export function mayWrite(permission: Permission): boolean {
  return permission === "admin" || permission === "maintain" || permission === "write";
}

export function isEnded(phase: Phase): boolean {
  return phase === "merged" || phase === "declined" || phase === "failed" || phase === "cancelled";
}
