/** A run as the tools tell it: short in lists, with plan and evidence alone. */
import { z } from "zod";
import { cleanLine } from "../../agents/untrusted.ts";
import type { RunView } from "../../api/run-view.ts";
import { runName } from "../../domain/ids.ts";
import { oneLine } from "../../domain/text.ts";

export const RunSummary = z.object({
  id: z.string().describe("The run's id, for task_status and approve"),
  repository: z.string(),
  issue: z.number(),
  title: z.string(),
  phase: z.string(),
  waitingFor: z.object({ kind: z.string(), since: z.string(), detail: z.string().optional() }).nullable(),
  pullRequest: z.object({ number: z.number(), url: z.string(), headSha: z.string() }).nullable(),
  costUsd: z.number(),
  outcome: z.object({ kind: z.string(), sha: z.string().optional(), reason: z.string().optional() }).nullable(),
});

/** The whole document, as `mergewright status ID --json` prints it; what is named here is what programs ask for first. */
export const RunDocument = z.looseObject({
  ...RunSummary.shape,
  plan: z.string().nullable(),
  evidence: z.unknown().describe("What the tests did on the base and on the branch"),
  incomplete: z.string().nullable().describe("Why the run's own words could not be had; null: these are they"),
});

export function summaryOf(run: RunView): z.input<typeof RunSummary> {
  const { id, repository, issue, title, phase, costUsd, outcome, pullRequest } = run;
  const waitingFor = run.waitingFor && {
    kind: run.waitingFor.kind,
    since: run.waitingFor.since,
    ...(run.waitingFor.detail === undefined ? {} : { detail: run.waitingFor.detail }),
  };
  return { id, repository, issue, title, phase, waitingFor, pullRequest, costUsd, outcome };
}

export function lineOf(run: RunView): string {
  const waits = run.waitingFor ? `, waits for ${run.waitingFor.kind}` : "";
  const pullRequest = run.pullRequest ? `, pull request #${run.pullRequest.number}` : "";
  return `${runName(run)} ${run.phase}${waits}${pullRequest}, $${run.costUsd.toFixed(2)}: ${oneLine(cleanLine(run.title).text, 100)}`;
}

export function paragraphOf(run: RunView): string {
  const { evidence, pullRequest, waitingFor, outcome } = run;
  const word = (value: boolean | null) => (value === null ? "not known" : value ? "yes" : "no");
  return [
    lineOf(run),
    waitingFor?.detail && oneLine(waitingFor.detail, 500),
    pullRequest && `Head of the pull request: ${pullRequest.headSha} (${pullRequest.url})`,
    evidence.command &&
      `New tests fail on the base: ${word(evidence.failsOnBase)}; all pass on the branch: ${word(evidence.passesOnBranch)}.`,
    outcome && (outcome.kind === "merged" ? `Merged as ${outcome.sha}.` : `${outcome.kind}: ${outcome.reason}`),
    run.incomplete,
  ]
    .filter(Boolean)
    .join("\n");
}
