/** One run as pages, API and command line show it: the run's own status document, or what Temporal knows without it. */
import type { WorkflowExecutionInfo } from "@temporalio/client";
import { parseIssueWorkflowId } from "../domain/ids.ts";
import { isEnded, type Category, type Outcome, type Phase, type RunStatus } from "../domain/run.ts";

/** What Temporal tells of a workflow, in a list and alone alike. */
export type Execution = Omit<WorkflowExecutionInfo, "raw">;

export interface RunView extends RunStatus {
  execution: {
    runId: string;
    state: "running" | "completed" | "failed" | "cancelled" | "terminated" | "timed-out";
    /** ISO 8601. */
    startedAt: string;
    closedAt: string | null;
  };
  /** null: the run's own words. Otherwise why they could not be had, in a sentence: what Temporal does not know is empty. */
  incomplete: string | null;
}

/** The run's own words, corrected where Temporal ended the run over its head. */
export function viewOf(info: Execution, status: RunStatus): RunView {
  const view: RunView = { ...status, execution: executionOf(info), incomplete: null };
  return withEnding(view, endingOf(info));
}

/** What Temporal itself knows of a run. `outcome` is the workflow's result, where it was read. */
export function viewWithoutStatus(info: Execution, outcome: Outcome | null, why: string): RunView {
  const { repository, issue } = parseIssueWorkflowId(info.workflowId) ?? { repository: "", issue: 0 };
  const pullRequest = attribute(info, "MergewrightPullRequest", "INT");
  const phase = attribute(info, "MergewrightPhase", "KEYWORD") as Phase | undefined;
  const view: RunView = {
    id: info.workflowId,
    repository,
    issue,
    title: "",
    phase: phase ?? "received",
    phases: [],
    category: (attribute(info, "MergewrightCategory", "KEYWORD") as Category | undefined) ?? null,
    plan: null,
    pullRequest: pullRequest === undefined ? null : { number: pullRequest, url: "", headSha: "" },
    turns: 0,
    modelCalls: 0,
    costUsd: attribute(info, "MergewrightCostUsd", "DOUBLE") ?? 0,
    budgetUsd: 0,
    waitingFor: null,
    agents: [],
    hosts: [],
    evidence: { failsOnBase: null, passesOnBranch: null, command: null, outputs: [] },
    refused: [],
    notices: [],
    outcome,
    execution: executionOf(info),
    incomplete: why,
  };
  return withEnding(outcome === null ? view : { ...view, phase: outcome.kind }, endingOf(info));
}

/** A server that lacks our search attributes simply has none here. */
function attribute(info: Execution, name: string, type: "KEYWORD"): string | undefined;
function attribute(info: Execution, name: string, type: "INT" | "DOUBLE"): number | undefined;
function attribute(info: Execution, name: string, type: "KEYWORD" | "INT" | "DOUBLE"): string | number | undefined {
  return info.typedSearchAttributes.get({ name, type });
}

function withEnding(view: RunView, ending: Exclude<Outcome, { kind: "merged" }> | null): RunView {
  if (ending === null || isEnded(view.phase)) return view;
  return { ...view, phase: ending.kind, waitingFor: null, outcome: view.outcome ?? ending };
}

function endingOf(info: Execution): Exclude<Outcome, { kind: "merged" }> | null {
  switch (info.status.name) {
    case "FAILED":
      return { kind: "failed", reason: "The workflow failed; its history in Temporal tells why." };
    case "TERMINATED":
      return { kind: "failed", reason: "The workflow was terminated in Temporal." };
    case "TIMED_OUT":
      return { kind: "failed", reason: "The workflow ran into its time limit." };
    case "CANCELLED":
      return { kind: "cancelled", reason: "The workflow was cancelled in Temporal." };
    default:
      return null;
  }
}

function executionOf(info: Execution): RunView["execution"] {
  return {
    runId: info.runId,
    state: stateOf(info),
    startedAt: info.startTime.toISOString(),
    closedAt: info.closeTime?.toISOString() ?? null,
  };
}

function stateOf(info: Execution): RunView["execution"]["state"] {
  switch (info.status.name) {
    case "COMPLETED":
      return "completed";
    case "FAILED":
      return "failed";
    case "CANCELLED":
      return "cancelled";
    case "TERMINATED":
      return "terminated";
    case "TIMED_OUT":
      return "timed-out";
    default:
      return "running";
  }
}
