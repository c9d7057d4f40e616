/** How a run is told to people: phases, waits, times and money in plain words. */
import { isEnded, type Phase, type RunStatus, type WaitingFor } from "../../domain/run.ts";

export const PHASE_WORDS: Record<Phase, string> = {
  received: "Received",
  classifying: "Classifying",
  planning: "Planning",
  "awaiting-plan-approval": "Plan awaits approval",
  working: "Working",
  verifying: "Verifying",
  "opening-pull-request": "Opening pull request",
  reviewing: "Reviewing",
  "awaiting-checks": "Awaiting checks",
  "awaiting-approval": "Awaits approval",
  merging: "Merging",
  merged: "Merged",
  declined: "Declined",
  failed: "Failed",
  cancelled: "Cancelled",
  paused: "Paused",
};

/** The colour of a phase: what a person needs to know at a glance. */
export type Tone = "moving" | "waiting" | "good" | "bad" | "quiet";

export function toneOf({ phase, waitingFor }: Pick<RunStatus, "phase" | "waitingFor">): Tone {
  if (phase === "merged") return "good";
  if (phase === "failed") return "bad";
  if (phase === "declined" || phase === "cancelled") return "quiet";
  if (phase === "paused" || phase === "awaiting-approval" || phase === "awaiting-plan-approval") return "waiting";
  return waitingFor !== null && waitingFor.kind !== "checks" ? "waiting" : "moving";
}

const WAIT_WORDS: Record<WaitingFor["kind"], string> = {
  "plan-approval": "a person to approve the plan",
  approval: "a person to approve the merge",
  checks: "the checks on GitHub",
  budget: "a person to raise the budget",
  answer: "a person to answer a question",
  operator: "the operator",
  outage: "a service that is away",
  "rate-limit": "a service that limits us",
  resume: "a person to resume it",
};

/** Whom or what the run waits for; null when it is at work or over. */
export function waitWords({ phase, waitingFor }: Pick<RunStatus, "phase" | "waitingFor">): string | null {
  if (waitingFor !== null) return WAIT_WORDS[waitingFor.kind];
  // Where only Temporal could be asked, the phase still tells.
  if (phase === "awaiting-approval") return WAIT_WORDS.approval;
  if (phase === "awaiting-plan-approval") return WAIT_WORDS["plan-approval"];
  if (phase === "awaiting-checks") return WAIT_WORDS.checks;
  return phase === "paused" ? WAIT_WORDS.resume : null;
}

export interface Station {
  name: string;
  state: "done" | "now" | "stopped" | "ahead";
}

/** The way of an issue, and the phases that belong to each part of it. */
const STATIONS: readonly (readonly [string, ...Phase[]])[] = [
  ["Received", "received"],
  ["Classify", "classifying"],
  ["Plan", "planning", "awaiting-plan-approval"],
  ["Work", "working"],
  ["Verify", "verifying"],
  ["Pull request", "opening-pull-request"],
  ["Review", "reviewing"],
  ["Checks", "awaiting-checks"],
  ["Approval", "awaiting-approval"],
  ["Merge", "merging", "merged"],
];

/** Where on its way the run is. A run that ended early or rests is shown where it last was. */
export function stationsOf({ phase, phases }: Pick<RunStatus, "phase" | "phases">): Station[] {
  const indexOf = (wanted: Phase) => STATIONS.findIndex(([, ...members]) => members.includes(wanted));
  const reached = [...phases.map((entry) => entry.phase), phase].map(indexOf).filter((index) => index >= 0);
  const current = reached.at(-1) ?? 0;
  const now = phase === "merged" ? "done" : isEnded(phase) ? "stopped" : "now";
  return STATIONS.map(([name], index) => ({
    name,
    state: index < current ? "done" : index === current ? now : "ahead",
  }));
}

/** `$0.42`; small sums keep what can be told apart. */
export function money(usd: number): string {
  return `$${usd.toFixed(usd > 0 && usd < 0.01 ? 4 : 2)}`;
}

/** `2026-11-20 20:38 UTC`. */
export function utc(iso: string): string {
  return `${iso.slice(0, 16).replace("T", " ")} UTC`;
}

/** How long ago, in the largest unit that says something. */
export function ago(iso: string, now: Date): string {
  const text = span(now.getTime() - Date.parse(iso));
  return text === "" ? "just now" : `${text} ago`;
}

/** `3 min`, `2 h`, `5 d`; empty below one second, and for a time that cannot be read. */
export function span(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (!(seconds >= 1)) return "";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
