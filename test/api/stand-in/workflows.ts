/** Stands in for the product's workflows: takes the same messages, and ends when it is told to. */
import { ApplicationFailure, condition, setHandler, upsertSearchAttributes } from "@temporalio/workflow";
import type { Outcome, RunStatus } from "../../../domain/run.ts";
import { statusQuery, updates, type Receipt, type ResolveIssueInput } from "../../../workflows/messages.ts";

const at = "2026-01-01T00:00:00.000Z";
const accepted: Receipt = { accepted: true };

export async function resolveIssue(input: ResolveIssueInput): Promise<Outcome> {
  const { repository, issue } = input;
  const status: RunStatus = {
    id: `issue/${repository.toLowerCase()}/${issue}`,
    repository,
    issue,
    title: "Total is <b>wrong</b>",
    phase: "awaiting-approval",
    phases: [
      { phase: "received", at },
      { phase: "classifying", at },
      { phase: "planning", at },
      { phase: "working", at },
      { phase: "verifying", at },
      { phase: "opening-pull-request", at },
      { phase: "reviewing", at },
      { phase: "awaiting-approval", at },
    ],
    category: "bug",
    plan: "Cause: the loop starts at 1.\n\n1. Start it at 0.\n2. Test an empty basket.",
    pullRequest: { number: 8, url: `https://github.example/${repository}/pull/8`, headSha: "a".repeat(40) },
    turns: 12,
    modelCalls: 14,
    costUsd: 0.4213,
    budgetUsd: 10,
    waitingFor: { kind: "approval", since: at, detail: "Look at the pull request, then approve its head." },
    hosts: [],
    agents: [
      { role: "coder", turns: 9, costUsd: 0.3, state: "done" },
      { role: "reviewer", turns: 3, costUsd: 0.1213, state: "done" },
    ],
    evidence: {
      failsOnBase: true,
      passesOnBranch: true,
      command: "npm test",
      outputs: [
        { on: "base-with-new-tests", exitCode: 1, output: "not ok 1 - <script>alert(1)</script>", durationMs: 1200 },
        { on: "branch", exitCode: 0, output: "ok 1 - totals a basket", durationMs: 1100 },
      ],
    },
    refused: [],
    notices: [],
    outcome: null,
  };
  setHandler(statusQuery, () => status);
  setHandler(updates.approveMerge, (payload) => {
    const { by, sha } = payload as { by: string; sha?: string };
    if (by === "stranger") throw ApplicationFailure.nonRetryable("@stranger has no permission.", "Refused");
    if (sha !== undefined && sha !== status.pullRequest?.headSha)
      throw ApplicationFailure.nonRetryable("The head has moved.", "Refused");
    status.outcome = { kind: "merged", sha: "b".repeat(40) };
    return accepted;
  });
  setHandler(updates.reject, (payload) => {
    const { by, reason } = payload as { by: string; reason: string };
    status.outcome = { kind: "declined", reason: `rejected by @${by}: ${reason}` };
    return accepted;
  });
  setHandler(
    updates.pause,
    () => {
      status.phase = "paused";
      status.waitingFor = { kind: "resume", since: at };
      return accepted;
    },
    {
      validator: (_payload: unknown) => {
        if (status.phase === "paused") throw ApplicationFailure.nonRetryable("The run is paused already.", "Refused");
      },
    },
  );
  setHandler(updates.resume, () => {
    status.phase = "awaiting-approval";
    status.waitingFor = null;
    return accepted;
  });
  upsertSearchAttributes({ MergewrightPhase: [status.phase], MergewrightCostUsd: [status.costUsd] });

  await condition(() => status.outcome !== null);
  status.phase = status.outcome!.kind;
  upsertSearchAttributes({ MergewrightPhase: [status.phase] });
  return status.outcome!;
}

export async function handleDelivery(): Promise<string> {
  return "taken in";
}
