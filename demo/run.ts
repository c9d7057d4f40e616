/** The demo: a bug report becomes a merged pull request, before your eyes. `--help` tells the flags. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { RunView } from "../api/run-view.ts";
import { issueWorkflowId } from "../domain/ids.ts";
import { isEnded } from "../domain/run.ts";
import { type Flags, HELP, readFlags } from "./flags.ts";
import { createNarrator, type Narrator } from "./narrator.ts";
import { demoRepositories } from "./repositories/index.ts";
import { removeStage, setStage, type Stage, type StageOptions } from "./stage.ts";

/** What `--json` prints. */
export interface DemoDocument {
  outcome: RunView["outcome"];
  repository: string;
  issue: number;
  pullRequest: { number: number; headSha: string; mergeSha: string | null; url: string } | null;
  issueClosed: boolean;
  phases: RunView["phases"];
  turns: number;
  modelCalls: number;
  costUsd: number;
  sandbox: "docker" | "local";
  evidence: RunView["evidence"];
  temporal: { address: string; webUi: string; workflowId: string };
  seconds: { setUp: number; run: number };
}

/** A run with a played model takes seconds; Claude itself may take its time. */
const PATIENCE_MS = { played: 10 * 60_000, live: 60 * 60_000 };

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const flags = readFlags(args);
  if (typeof flags === "string") return usage(flags);
  if (flags.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const options = stageOptions(flags);
  return typeof options === "string" ? usage(options) : perform(flags, options);
}

async function perform(flags: Flags, options: StageOptions): Promise<number> {
  const narrator = createNarrator(flags.json ? process.stderr : process.stdout);
  const interrupted = new Promise<"interrupted">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve("interrupted"));
  });
  const setUpStarted = Date.now();
  narrator.opening(flags);
  let stage: Stage | null = null;
  let merged = false;
  try {
    stage = await setStage(options);
    const setUpSeconds = Number(process.env["MERGEWRIGHT_SETUP_SECONDS"] ?? 0) + (Date.now() - setUpStarted) / 1000;
    const played = await Promise.race([play(stage, flags, narrator), interrupted]);
    if (played === "interrupted") return 130;
    const document: DemoDocument = { ...played, seconds: { setUp: rounded(setUpSeconds), run: played.seconds.run } };
    if (flags.json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    narrator.closing(document);
    if (flags.keep) {
      narrator.keeping(stage);
      await interrupted;
    }
    merged = document.outcome?.kind === "merged";
    if (!merged) narrator.say(`Its log is kept: ${stage.logFile}`);
    return merged ? 0 : 1;
  } catch (error) {
    narrator.say(`The demo failed: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await stage?.close();
    if (stage && merged) await removeStage(stage);
  }
}

async function play(stage: Stage, flags: Flags, narrator: Narrator): Promise<DemoDocument> {
  const { repository, github, maintainer, author } = stage;
  const source = demoRepositories[flags.repository]!;
  const started = Date.now();
  narrator.addresses(stage);
  const { number } = await github.people.as(author).openIssue(repository, { title: source.title, body: source.body });
  narrator.say(`@${author} opens issue #${number}: ${source.title}`);
  await github.people.as(maintainer).label(repository, number, "mergewright");
  narrator.say(`@${maintainer} adds the label mergewright; GitHub delivers a signed webhook`);

  const workflowId = issueWorkflowId(repository, number);
  const patienceMs = PATIENCE_MS[flags.live ? "live" : "played"];
  const waiting = await follow(stage, workflowId, narrator, patienceMs, (run) => run.phase === "awaiting-approval");
  if (waiting.phase === "awaiting-approval" && waiting.pullRequest) {
    const approval = { by: maintainer, sha: waiting.pullRequest.headSha };
    await signal(stage, workflowId, "approveMerge", JSON.stringify(approval), narrator);
  }
  const ended = await follow(stage, workflowId, narrator, 5 * 60_000, () => false);
  const issue = await github.people
    .as(maintainer)
    .rest<{ state: string }>("GET", `/repos/${repository}/issues/${number}`);
  const { outcome, pullRequest, phases, turns, modelCalls, costUsd, evidence } = ended;
  const mergeSha = outcome?.kind === "merged" ? outcome.sha : null;
  return {
    outcome,
    repository,
    issue: number,
    pullRequest: pullRequest && {
      number: pullRequest.number,
      headSha: pullRequest.headSha,
      mergeSha,
      url: pullRequest.url,
    },
    issueClosed: issue.state === "closed",
    phases,
    turns,
    modelCalls,
    costUsd,
    sandbox: process.env["EXECUTION_MODE"]?.startsWith("local") ? "local" : "docker",
    evidence,
    temporal: { ...stage.temporal, workflowId },
    seconds: { setUp: 0, run: rounded((Date.now() - started) / 1000) },
  };
}

/** Watches the run and tells its phases, until it has ended or `done` says so. Throws after `patienceMs`. */
async function follow(
  stage: Stage,
  workflowId: string,
  narrator: Narrator,
  patienceMs: number,
  done: (run: RunView) => boolean,
): Promise<RunView> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const run = await statusOf(stage, workflowId);
    if (run) {
      narrator.follow(run);
      if (done(run) || (isEnded(run.phase) && run.execution.closedAt !== null)) return run;
    }
    if (Date.now() > deadline) {
      throw new Error(`The run did not come this far within ${patienceMs / 60_000} minutes. Its log: ${stage.logFile}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

/** null: not known yet, or the product is just starting again. */
async function statusOf(stage: Stage, workflowId: string): Promise<RunView | null> {
  try {
    const url = `${stage.url}/api/tasks/${encodeURIComponent(workflowId)}`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    const run = answer.ok ? ((await answer.json()) as RunView) : null;
    return run?.incomplete === null ? run : null;
  } catch {
    return null;
  }
}

/** The approval as an operator gives it: with Temporal's own command line. */
async function signal(
  stage: Stage,
  workflowId: string,
  name: string,
  input: string,
  narrator: Narrator,
): Promise<void> {
  const cli = process.env["TEMPORAL_CLI"] ?? "temporal";
  const { address } = stage.temporal;
  const words = [
    "workflow",
    "signal",
    "--address",
    address,
    "--workflow-id",
    workflowId,
    "--name",
    name,
    "--input",
    input,
  ];
  narrator.command(["temporal", ...words]);
  await promisify(execFile)(cli, words);
}

function stageOptions(flags: Flags): StageOptions | string {
  const { ANTHROPIC_API_KEY: apiKey, ANTHROPIC_BASE_URL: baseUrl, ANTHROPIC_MODEL: model } = process.env;
  const handedOn = ["TEMPORAL_CLI", "DOCKER_IMAGE", "EXECUTION_MODE", "MEMORY_LIMIT", "CPU_LIMIT"];
  const env = Object.fromEntries(handedOn.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
  if (!flags.live) return { repositoryName: flags.repository, live: null, env };
  if (!apiKey) return "--live needs a key for Claude: set ANTHROPIC_API_KEY, or leave --live out.";
  return { repositoryName: flags.repository, live: { apiKey, baseUrl, model }, env };
}

function usage(problem: string): number {
  process.stderr.write(`${problem}\n\n${HELP}`);
  return 2;
}

function rounded(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
