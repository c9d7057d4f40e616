/** What a pull request says, and its commits. Everything that others wrote is cut and made inert before it goes in. */
import { commentMarker } from "./ids.ts";
import type { Finding } from "./outputs.ts";
import type { Category, Evidence, RunStatus, TestRun } from "./run.ts";
import { linkLine, type LinkBases } from "./run-links.ts";
import {
  codeSpan,
  cutEnd,
  cutMiddle,
  escapeHtml,
  fence,
  inertLine,
  inertMarkdown,
  inertPlain,
  MAX_BODY_CHARACTERS,
  oneLine,
} from "./text.ts";

export { endingComment, progressComment } from "./comment-text.ts";

/** Git's custom for a subject; GitHub cuts what is longer. */
const MAX_SUBJECT = 72;
const MAX_TITLE = 200;

export interface CommitMessageInput {
  title: string;
  issue: number;
  summary: string;
  /** How often the coder has been at work, from 1. */
  round: number;
}

/** `Refs`, never `Closes`: whether the merge closes the issue is a setting, and the pull request's body says it. */
export function commitMessage({ title, issue, summary, round }: CommitMessageInput): string {
  const subject = oneLine(inertPlain(title), MAX_SUBJECT) || `Change for issue ${issue}`;
  const body = cutEnd(inertPlain(summary).trim(), 4_000);
  const revision = round > 1 ? `Revision ${round}.` : "";
  return `${[subject, revision, body, `Refs #${issue}`].filter((part) => part !== "").join("\n\n")}\n`;
}

const TITLE_WORD: Readonly<Record<Category, string>> = {
  bug: "Fix",
  feature: "Add",
  documentation: "Document",
  refactoring: "Refactor",
  test: "Test",
  maintenance: "Maintain",
  question: "Answer",
  invalid: "Change",
};

export function pullRequestTitle({
  category,
  title,
  issue,
}: {
  category: Category;
  title: string;
  issue: number;
}): string {
  const tail = ` (#${issue})`;
  const text = `${TITLE_WORD[category]}: ${oneLine(inertPlain(title), MAX_TITLE) || "what the issue asks for"}`;
  return `${oneLine(text, MAX_TITLE - tail.length)}${tail}`;
}

export interface PullRequestBodyInput {
  status: Pick<RunStatus, "id" | "issue" | "evidence" | "costUsd" | "turns" | "modelCalls" | "fork">;
  /** The coder's own words. */
  summary: string;
  verified: boolean;
  /** Why it counts as verified, or why not. */
  verification: string;
  change: {
    files: readonly { path: string; status: string; additions: number | null; deletions: number | null }[];
    violations: readonly { rule: string; path: string; detail: string; severity: "refuse" | "ask-human" }[];
  };
  /** What the last review left. */
  findings: readonly Finding[];
  /** `Closes #N` or `Refs #N`. */
  closes: boolean;
  links: LinkBases;
  runKey: string;
  namespace?: string;
}

/** Of the usual lengths; tried one after the other until everything fits. */
const SCALES = [1, 0.5, 0.2, 0.05];
const MAX_OUTPUT = 12_000;
const MAX_SUMMARY = 6_000;
const MAX_FILES_SHOWN = 60;
const MAX_LIST = 20;

export function pullRequestBody(input: PullRequestBodyInput): string {
  let body = "";
  for (const scale of SCALES) {
    body = build(input, scale);
    if (body.length <= MAX_BODY_CHARACTERS) return body;
  }
  return cutEnd(body);
}

function build(input: PullRequestBodyInput, scale: number): string {
  const { status, change, closes } = input;
  const look = change.violations.map(
    ({ path, detail, rule }) => `- ${codeSpan(path)}: ${inertLine(detail)} (${inertLine(rule)})`,
  );
  const findings = input.findings.map(
    ({ path, line, severity, finding }) =>
      `- **${severity}** ${codeSpan(`${path}:${line}`)}: ${inertLine(finding, 1_000)}`,
  );
  const sections = [
    commentMarker("pull-request", input.runKey),
    `${closes ? "Closes" : "Refs"} #${status.issue}`,
    status.fork === undefined
      ? ""
      : `This goes on from turn ${status.fork.turn} of the ${status.fork.role} of ${codeSpan(status.fork.of)}.`,
    section(
      "Summary",
      inertMarkdown(cutEnd(input.summary.trim(), MAX_SUMMARY * scale)) || "The coder left no summary.",
    ),
    verificationSection(input, scale),
    look.length === 0 ? "" : section("Look at these before merging", limited(look, MAX_LIST * scale)),
    findings.length === 0 ? "" : section("Left from the review", limited(findings, MAX_LIST * scale)),
    section(`Files (${change.files.length})`, limited(change.files.map(fileLine), MAX_FILES_SHOWN * scale)),
    `---\nMade by Mergewright: ${costLine(status)} · ${linkLine(input.links, status.id, input.namespace)}`,
  ];
  return sections.filter((text) => text !== "").join("\n\n");
}

function verificationSection({ verified, verification, status }: PullRequestBodyInput, scale: number): string {
  const { evidence } = status;
  const verdict = inertMarkdown(cutEnd(verification.trim(), MAX_SUMMARY * scale)) || "no reason was recorded.";
  const outputs = [...evidence.outputs].sort((a, b) => ORDER.indexOf(a.on) - ORDER.indexOf(b.on));
  return section(
    verified ? "How it was verified" : "Not verified",
    [
      verified ? verdict : `This change is **not verified** because: ${verdict}`,
      evidenceLines(evidence),
      ...outputs.map((run) => outputDetails(run, evidence.command, MAX_OUTPUT * scale)),
    ]
      .filter((text) => text !== "")
      .join("\n\n"),
  );
}

function evidenceLines({ failsOnBase, passesOnBranch, command }: Evidence): string {
  if (command === null) return "";
  const word = (value: boolean | null) => (value === null ? "not known" : value ? "yes" : "no");
  return [
    `- Test command: ${codeSpan(command)}, each time in a clean sandbox`,
    `- Fails on the base with the new tests: **${word(failsOnBase)}**`,
    `- Passes on the branch: **${word(passesOnBranch)}**`,
  ].join("\n");
}

/** Before, then after: as one reads it. */
const ORDER: readonly TestRun["on"][] = ["base", "base-with-new-tests", "branch"];
const PLACE: Readonly<Record<TestRun["on"], string>> = {
  base: "Before, on the base",
  "base-with-new-tests": "Before, on the base with the new tests",
  branch: "After, on the branch",
};

function outputDetails(run: TestRun, command: string | null, outputCharacters: number): string {
  const ended = run.exitCode === null ? "did not end by itself" : `exit code ${run.exitCode}`;
  const seconds = (run.durationMs / 1000).toFixed(1);
  const summary = `${PLACE[run.on]}: <code>${escapeHtml(command ?? "")}</code>, ${ended}, ${seconds} s`;
  return `<details><summary>${summary}</summary>\n\n${fence(cutMiddle(run.output, outputCharacters) || "(no output)")}\n\n</details>`;
}

function fileLine({ path, status, additions, deletions }: PullRequestBodyInput["change"]["files"][number]): string {
  const lines = additions === null || deletions === null ? "binary" : `+${additions} −${deletions}`;
  return `- ${codeSpan(path)} ${inertLine(status)}, ${lines}`;
}

export function costLine({ costUsd, turns, modelCalls }: Pick<RunStatus, "costUsd" | "turns" | "modelCalls">): string {
  return `$${costUsd.toFixed(costUsd > 0 && costUsd < 0.1 ? 4 : 2)}, ${turns} turns, ${modelCalls} model calls`;
}

function section(title: string, text: string): string {
  return `## ${title}\n\n${text}`;
}

function limited(lines: readonly string[], max: number): string {
  const shown = lines.slice(0, max);
  return [...shown, ...(lines.length > max ? [`- and ${lines.length - max} more`] : [])].join("\n");
}
