/** The status of a run before anything was done. */
import type { RunStatus } from "../domain/run.ts";
import type { ResolveIssueInput } from "./messages.ts";

export function firstStatus(id: string, input: ResolveIssueInput, at: string): RunStatus {
  const { fork } = input;
  return {
    id,
    repository: input.repository,
    issue: input.issue,
    title: input.snapshot?.title ?? "",
    phase: "received",
    phases: [{ phase: "received", at }],
    category: null,
    plan: null,
    pullRequest: null,
    turns: 0,
    modelCalls: 0,
    costUsd: 0,
    budgetUsd: input.settings.limits.budget_usd,
    waitingFor: null,
    agents: [],
    hosts: [],
    evidence: { failsOnBase: null, passesOnBranch: null, command: null, outputs: [] },
    refused: [],
    notices: [],
    outcome: null,
    ...(fork ? { fork: { of: fork.of.id, role: fork.role, turn: fork.turn } } : {}),
  };
}
