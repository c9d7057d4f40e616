/** Runs as people read them on a terminal. */
import type { RunView } from "../api/runs.ts";
import { runName } from "../domain/ids.ts";
import type { Phase } from "../domain/run.ts";
import { plain, table, type Terminal } from "./terminal.ts";

export function showRuns(runs: readonly RunView[], terminal: Terminal): void {
  if (runs.length === 0) {
    terminal.out("There are no runs yet. Start one with `mergewright run --repo OWNER/REPO --issue NUMBER`.");
    return;
  }
  const head = ["RUN", "PHASE", "WAITS FOR", "PULL REQUEST", "COST"].map((text) => terminal.style("dim", text));
  const rows = runs.map((run) => [
    runName(run),
    phase(run.phase, terminal),
    run.waitingFor ? run.waitingFor.kind : "",
    run.pullRequest ? `#${run.pullRequest.number}` : "",
    dollars(run.costUsd),
  ]);
  for (const line of table([head, ...rows])) terminal.out(line);
}

export function showRun(run: RunView, terminal: Terminal): void {
  const rows: [string, string][] = [
    ["Run", run.id],
    ["Issue", `${run.repository}#${run.issue}${run.title ? `  ${plain(run.title)}` : ""}`],
    ["Phase", phase(run.phase, terminal) + (run.category ? `  (${run.category})` : "")],
  ];
  if (run.waitingFor) rows.push(["Waits for", `${run.waitingFor.kind} since ${run.waitingFor.since}`]);
  if (run.waitingFor?.detail) rows.push(["", plain(run.waitingFor.detail)]);
  if (run.pullRequest)
    rows.push([
      "Pull request",
      `#${run.pullRequest.number}  ${plain(run.pullRequest.url)}  ${run.pullRequest.headSha.slice(0, 10)}`,
    ]);
  if (run.evidence.command) {
    const word = (value: boolean | null) => (value === null ? "not known" : value ? "yes" : "no");
    rows.push([
      "Tests",
      `new ones fail on the base: ${word(run.evidence.failsOnBase)}, all pass on the branch: ${word(run.evidence.passesOnBranch)}`,
    ]);
  }
  rows.push([
    "Spent",
    `${dollars(run.costUsd)} of ${dollars(run.budgetUsd)}, ${run.turns} turns, ${run.modelCalls} model calls`,
  ]);
  if (run.outcome)
    rows.push([
      "Outcome",
      run.outcome.kind === "merged"
        ? `merged as ${run.outcome.sha}`
        : `${run.outcome.kind}: ${plain(run.outcome.reason)}`,
    ]);
  for (const refusal of run.refused.slice(-3))
    rows.push([
      "Refused",
      `${refusal.message}${refusal.by ? ` by ${plain(refusal.by)}` : ""}: ${plain(refusal.reason)}`,
    ]);
  if (run.incomplete) rows.push(["Note", plain(run.incomplete)]);
  for (const line of table(
    rows.map(([name, value]) => [terminal.style("dim", name), value]),
    Number.POSITIVE_INFINITY,
  ))
    terminal.out(line);
}

export function phase(name: Phase, terminal: Terminal): string {
  if (name === "merged") return terminal.style("green", name);
  if (name === "failed" || name === "declined" || name === "cancelled") return terminal.style("red", name);
  return name.startsWith("awaiting") || name === "paused" ? terminal.style("yellow", name) : name;
}

function dollars(usd: number): string {
  return `$${usd.toFixed(2)}`;
}
