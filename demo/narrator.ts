/** What the demo tells while it runs: each phase once, with what was found out by then. */
import type { RunView } from "../api/run-view.ts";
import type { Phase } from "../domain/run.ts";
import type { DemoDocument } from "./run.ts";
import type { Stage } from "./stage.ts";

export interface Narrator {
  say(line: string): void;
  opening(flags: { live: boolean }): void;
  addresses(stage: Stage): void;
  follow(run: RunView): void;
  command(words: readonly string[]): void;
  closing(document: DemoDocument): void;
  keeping(stage: Stage): void;
}

const STORY: Readonly<Record<Phase, string>> = {
  received: "the run has started",
  classifying: "what kind of issue is it?",
  planning: "looking at the code, reproducing, planning",
  "awaiting-plan-approval": "waiting for somebody to approve the plan",
  working: "writing the test that fails, then the fix, in the sandbox",
  verifying: "the tests run again, in clean sandboxes: on the base with the new tests, and on the branch",
  "opening-pull-request": "one commit, one branch, one pull request",
  reviewing: "the reviewer reads the change",
  "awaiting-checks": "waiting for the repository's checks",
  "awaiting-approval": "waiting for a person with write permission",
  merging: "merging exactly the approved commit",
  merged: "done",
  declined: "declined",
  failed: "failed",
  cancelled: "cancelled",
  paused: "paused",
};

export function createNarrator(output: NodeJS.WritableStream): Narrator {
  const started = Date.now();
  let told = 0;
  const write = (line: string): void => void output.write(`${line}\n`);
  const say = (line: string): void => write(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  return {
    say,
    opening({ live }) {
      write("");
      write(
        live
          ? "Played here: GitHub (a local server that speaks its REST API and Git over HTTP). Claude is Claude itself."
          : "Played here: Claude (recorded turns over the real Messages API) and GitHub (a local server that speaks its REST API and Git over HTTP). All else is real.",
      );
    },
    addresses({ url, temporal, github, repository }) {
      write("");
      write(`  Our page         ${url}`);
      write(`  Temporal Web UI  ${temporal.webUi}`);
      write(`  GitHub (played)  ${github.url}/${repository}`);
      write("");
    },
    follow(run) {
      for (const { phase } of run.phases.slice(told)) say(`${phase.padEnd(22)}${STORY[phase]}${detail(phase, run)}`);
      told = run.phases.length;
    },
    command(words) {
      say(`$ ${words.map(quoted).join(" ")}`);
    },
    closing({ outcome, pullRequest, issueClosed, costUsd, turns, modelCalls, seconds, sandbox, evidence }) {
      write("");
      if (outcome?.kind === "merged") {
        write(`Merged as ${outcome.sha.slice(0, 12)}: ${pullRequest?.url ?? ""}`);
        write(
          `The issue is ${issueClosed ? "closed" : "still open"}. The new tests fail on the base: ${evidence.failsOnBase}; all tests pass on the branch: ${evidence.passesOnBranch}.`,
        );
      } else {
        write(`Not merged: ${outcome ? `${outcome.kind}: ${outcome.reason}` : "the run has not ended"}`);
      }
      write(
        `${turns} turns, ${modelCalls} model calls, $${costUsd.toFixed(4)}, sandbox: ${sandbox}, ${seconds.run} s (set-up ${seconds.setUp} s).`,
      );
    },
    keeping({ url, temporal }) {
      write("");
      write(`Still up: ${url} and ${temporal.webUi}. Ctrl-C ends it.`);
    },
  };
}

function detail(phase: Phase, run: RunView): string {
  const { category, evidence, pullRequest } = run;
  if (phase === "planning" && category) return ` (${category})`;
  if (phase === "opening-pull-request") {
    return ` (new tests fail on the base: ${evidence.failsOnBase}, pass on the branch: ${evidence.passesOnBranch})`;
  }
  if (phase === "reviewing" && pullRequest) return ` (${pullRequest.url})`;
  if (phase === "awaiting-approval" && pullRequest) return ` to approve ${pullRequest.headSha.slice(0, 12)}`;
  return "";
}

function quoted(word: string): string {
  return /^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
