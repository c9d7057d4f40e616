/** The comments of a run: one that follows it and is edited in place, and one that says how it ended. */
import type { Outcome, Phase, RunStatus, WaitingFor } from "./run.ts";
import { isEnded } from "./run.ts";
import { linkLine, pageLink, type LinkBases } from "./run-links.ts";
import { codeSpan, cutEnd, inertLine, inertMarkdown } from "./text.ts";

/** The story in its order, in words for people. Phases off the straight way appear when they are met. */
const STORY: readonly [Phase, string][] = [
  ["received", "Issue received"],
  ["classifying", "Classify"],
  ["planning", "Plan"],
  ["awaiting-plan-approval", "Plan approval"],
  ["working", "Write the change and its test"],
  ["verifying", "Verify: fails before, passes after"],
  ["opening-pull-request", "Open the pull request"],
  ["reviewing", "Review"],
  ["awaiting-checks", "Checks"],
  ["awaiting-approval", "Approval"],
  ["merging", "Merge"],
];
/** Only shown once a run has come there. */
const SIDE_WAYS: ReadonlySet<Phase> = new Set(["awaiting-plan-approval", "awaiting-checks", "awaiting-approval"]);

export interface ProgressCommentInput {
  status: RunStatus;
  marker: string;
  links: LinkBases;
  namespace?: string;
}

export function progressComment({ status, marker, links, namespace }: ProgressCommentInput): string {
  const { pullRequest, waitingFor, outcome } = status;
  const plan = status.plan === null ? "" : details("The plan", inertMarkdown(cutEnd(status.plan, 8_000)));
  const refused = status.refused
    .slice(-3)
    .map(
      ({ message, by, reason }) =>
        `- ${codeSpan(message)} by ${by === null ? "nobody known" : codeSpan(by)}: ${inertLine(reason)}`,
    );
  return joined([
    marker,
    `### ${headline(status)}`,
    status.fork === undefined
      ? ""
      : `It goes on from turn ${status.fork.turn} of the ${status.fork.role} of ${codeSpan(status.fork.of)}, beside it.`,
    checklist(status),
    pullRequest === null ? "" : `Pull request: #${pullRequest.number} at ${codeSpan(pullRequest.headSha.slice(0, 12))}`,
    outcome === null && waitingFor !== null ? waiting(status, waitingFor, links, namespace) : "",
    outcome !== null && outcome.kind !== "merged" ? `Reason: ${inertLine(outcome.reason, 2_000)}` : "",
    plan,
    status.notices.map(({ text }) => `Note: ${inertLine(text)}`).join("\n\n"),
    refused.length === 0 ? "" : `Not obeyed:\n${refused.join("\n")}`,
    footer(status, links, namespace),
  ]);
}

export interface EndingCommentInput {
  status: RunStatus;
  outcome: Outcome;
  marker: string;
  links: LinkBases;
  namespace?: string;
}

/** Left once, on the pull request or else on the issue. */
/** Asks the one who started the run, by name, to look again. */
export function reminderComment({
  marker,
  to,
  detail,
  days,
}: {
  marker: string;
  to: string | null;
  detail: string;
  days: number;
}): string {
  const end = days === 0 ? "" : ` The run ends by itself when nobody decides within ${days} days of its asking.`;
  return joined([
    marker,
    `${to === null ? "" : `@${to}: `}this still waits for a decision. ${inertLine(detail, 2_000)}${end}`,
  ]);
}

export function endingComment({ status, outcome, marker, links, namespace }: EndingCommentInput): string {
  return joined([marker, ending(status, outcome), footer(status, links, namespace)]);
}

function ending(status: RunStatus, outcome: Outcome): string {
  const again =
    status.fork === undefined
      ? "Comment `/mergewright run` on the issue to start again."
      : "`mergewright fork` goes on from a turn again.";
  const closed = status.pullRequest === null ? "" : " The pull request is closed; its branch is left as it is.";
  switch (outcome.kind) {
    case "merged":
      return `Merged as ${codeSpan(outcome.sha.slice(0, 12))}.`;
    case "declined":
      return `**Declined:** ${inertLine(outcome.reason, 4_000)}${closed} ${again}`;
    case "failed":
      return `**Not resolved:** ${inertLine(outcome.reason, 4_000)}${closed} Nothing was merged. ${again}`;
    case "cancelled":
      return `**Cancelled:** ${inertLine(outcome.reason, 4_000)}${closed} The sandboxes are gone. ${again}`;
  }
}

function headline({ phase, outcome, pullRequest }: RunStatus): string {
  switch (outcome?.kind) {
    case "merged":
      return pullRequest
        ? `Mergewright resolved this issue with #${pullRequest.number}`
        : "Mergewright resolved this issue";
    case "declined":
      return "Mergewright does not take this issue on";
    case "failed":
      return "Mergewright could not resolve this issue";
    case "cancelled":
      return "Mergewright was stopped";
    case undefined:
      return phase === "paused"
        ? "Mergewright is paused"
        : phase.startsWith("awaiting")
          ? "Mergewright waits"
          : "Mergewright is at work on this issue";
  }
}

function checklist({ phase, phases, outcome }: RunStatus): string {
  const met = new Set(phases.map((entry) => entry.phase));
  const latest =
    isEnded(phase) || phase === "paused"
      ? phases.findLast((entry) => !isEnded(entry.phase) && entry.phase !== "paused")?.phase
      : phase;
  const lines = STORY.filter(([step]) => met.has(step) || !SIDE_WAYS.has(step)).map(([step, words]) => {
    const merged = outcome?.kind === "merged";
    if (step === latest && !merged) return `- [ ] **${words}**${outcome === null ? " ← now" : " ← ended here"}`;
    return `- [${met.has(step) || merged ? "x" : " "}] ${words}`;
  });
  return lines.join("\n");
}

function waiting(status: RunStatus, waitingFor: WaitingFor, links: LinkBases, namespace?: string): string {
  const detail = waitingFor.detail === undefined ? "" : ` ${inertLine(waitingFor.detail, 2_000)}`;
  return `**Waiting for ${WAITING[waitingFor.kind].what}** since ${inertLine(waitingFor.since)}.${detail}\n\n${howTo(status, waitingFor.kind, links, namespace)}`;
}

const WAITING: Readonly<
  Record<WaitingFor["kind"], { what: string; signal: string | null; input: string; comment: string | null }>
> = {
  "plan-approval": {
    what: "approval of the plan",
    signal: "approvePlan",
    input: '{"by":"LOGIN"}',
    comment: "/mergewright approve-plan",
  },
  approval: {
    what: "approval of the pull request",
    signal: "approveMerge",
    input: '{"by":"LOGIN"}',
    comment: "/mergewright approve",
  },
  checks: { what: "the checks", signal: null, input: "", comment: null },
  budget: {
    what: "a larger budget",
    signal: "raiseBudget",
    input: '{"by":"LOGIN","usd":5}',
    comment: "/mergewright budget 5",
  },
  answer: {
    what: "an answer",
    signal: "answer",
    input: '{"by":"LOGIN","text":"..."}',
    comment: "/mergewright answer ...",
  },
  operator: { what: "an operator", signal: "resume", input: '{"by":"LOGIN"}', comment: "/mergewright resume" },
  outage: { what: "a service that is away", signal: null, input: "", comment: null },
  "rate-limit": { what: "a service that limits our requests", signal: null, input: "", comment: null },
  resume: { what: "the order to go on", signal: "resume", input: '{"by":"LOGIN"}', comment: "/mergewright resume" },
};

/** Each way to answer, ready to be copied. */
function howTo(status: RunStatus, kind: WaitingFor["kind"], links: LinkBases, namespace?: string): string {
  const { signal, input, comment } = WAITING[kind];
  if (signal === null || comment === null) return "";
  const page = pageLink(links, status.id);
  const ways = [
    ...(kind === "approval" && status.pullRequest !== null
      ? [`- approve #${status.pullRequest.number} in a GitHub review`]
      : []),
    `- or comment ${codeSpan(comment)} here`,
    ...(page === null ? [] : [`- or use [the page of this run](${page})`]),
    `- or, where Temporal is reached, with your GitHub login for LOGIN:\n\n  \`\`\`sh\n  ${signalCommand(status.id, signal, input, namespace)}\n  \`\`\``,
  ];
  const others =
    kind === "approval"
      ? "\n\nFor changes, request them in a review or comment `/mergewright revise ...`; to end it, `/mergewright reject ...`."
      : "";
  return `Somebody with write permission may answer:\n${ways.join("\n").replace("- or ", "- ")}${others}`;
}

function signalCommand(workflowId: string, name: string, input: string, namespace = "default"): string {
  const where = namespace === "default" ? "" : ` --namespace ${namespace}`;
  return `temporal workflow signal${where} --workflow-id ${workflowId} --name ${name} --input '${input}'`;
}

function details(summary: string, text: string): string {
  return `<details><summary>${summary}</summary>\n\n${text}\n\n</details>`;
}

function footer(status: RunStatus, links: LinkBases, namespace?: string): string {
  const spent = `$${status.costUsd.toFixed(2)} of $${status.budgetUsd.toFixed(2)}, ${status.turns} turns`;
  return `<sub>${spent} · ${linkLine(links, status.id, namespace)}</sub>`;
}

function joined(parts: readonly string[]): string {
  return cutEnd(parts.filter((part) => part !== "").join("\n\n"));
}
