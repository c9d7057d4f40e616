/** The stories whose histories are kept: one of each kind of run, with what belongs to it. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { RunView } from "../../api/run-view.ts";
import { bash, type Scenario, type Turn } from "../../demo/model/scenario.ts";
import { demoRepositories } from "../../demo/repositories/index.ts";
import { scenarios } from "../../demo/scenarios/index.ts";
import type { Stage } from "../../demo/stage.ts";
import { agentWorkflowId, branchName, deliveryWorkflowId, issueWorkflowId } from "../../domain/ids.ts";
import { isEnded, type Outcome } from "../../domain/run.ts";
import { shortStory } from "../../test/e2e/short-scenario.ts";
import { endedOfType, executionsOf, untilEnded } from "./temporal.ts";

/** Keeps the history of a workflow, as it is now, under a name. */
export type Keep = (name: string, workflowId: string, runId?: string) => Promise<void>;

export const REPOSITORY = "little-duration";
/** Workflows that runs and schedules start beside the stories; their ids tell the time, or the repository. */
const OF_THE_PRODUCT = {
  reconcile: "reconcile",
  retention: "retention",
  "memory-retention": "memoryRetention",
  "index-repository": "indexRepository",
  "keep-memories": "keepMemories",
} as const;
const PATIENCE_MS = 5 * 60_000;
const program = fileURLToPath(new URL("../../bin/mergewright.mjs", import.meta.url));

const REJECT = "reject Another way is better.";
const TITLES = {
  declined: "Rejected, and gone on from",
  failed: "Nothing comes of it",
  cancelled: "Takes too long",
  parked: "Has to wait",
  others: "Somebody helps",
  continued: "Has a long history",
  rested: "Is talked to while it works",
} as const;

/** What the played Claude says in them. */
export const played: Scenario[] = [
  ...scenarios,
  shortStory({ title: TITLES.declined }),
  {
    ...shortStory({ title: TITLES.failed }),
    coder: Array.from({ length: 4 }, () => [{ text: "There is nothing to do." }]),
  },
  shortStory({ title: TITLES.cancelled, before: [{ text: "I try it.", uses: [bash("sleep 60")] }] }),
  shortStory({ title: TITLES.parked }),
  shortStory({ title: TITLES.others }),
  shortStory({ title: TITLES.rested, before: [{ text: "I try it.", uses: [bash("sleep 12")] }, look(1)] }),
  shortStory({ title: TITLES.continued, before: Array.from({ length: 16 }, (_, n) => look(n)) }),
];

/** On a stage of its own, with the defaults. */
export async function playAll(stage: Stage, keep: Keep): Promise<void> {
  // Alone: what the model refuses is meant for it.
  await parked(stage, keep);
  await Promise.all([declinedAndForked, failed, cancelled, othersPushed].map((play) => play(stage, keep)));
  // The last, as all of them mend the same thing.
  await merged(stage, keep);
  for (const [name, type] of Object.entries(OF_THE_PRODUCT))
    await keep(name, await endedOfType(stage.temporal.address, type));
}

/** On a server that asks for new histories early, where plans want approval. */
export async function playContinued(stage: Stage, keep: Keep): Promise<void> {
  const { address } = stage.temporal;
  const run = await startPlanned(stage, TITLES.continued);
  await pokeUntilContinued(stage, run, await asked(stage, run));
  await finish(stage, run, "approve", "merged");
  for (const [name, id] of [
    ["resolve-issue", run],
    ["run-agent", agentWorkflowId(run, "coder", 1)],
  ] as const) {
    const executions = await executionsOf(address, id);
    if (executions.length < 2) throw new Error(`${id} did not go on with a new history.`);
    await keep(`${name}-continued`, id, executions[0]);
    await keep(`${name}-goes-on`, id, executions.at(-1));
  }
  await rested(stage, keep);
}

/** Its history gets long while its coder is at work, which comes to rest for that. */
async function rested(stage: Stage, keep: Keep): Promise<void> {
  const run = await startPlanned(stage, TITLES.rested);
  const working = await until(stage, run, ({ agents }) =>
    agents.some(({ role, state }) => role === "coder" && state === "running"),
  );
  await pokeUntilContinued(stage, run, working);
  await finish(stage, run, REJECT, "declined");
  const [first] = await executionsOf(stage.temporal.address, run);
  await keep("resolve-issue-rested", run, first);
  await keep("resolve-issue-after-rest", run);
  await keep("run-agent-rested", agentWorkflowId(run, "coder", 1));
  await keep("run-agent-after-rest", agentWorkflowId(run, "coder", 2));
}

async function startPlanned(stage: Stage, title: string): Promise<string> {
  const run = await start(stage, title);
  const waiting = await until(stage, run, ({ waitingFor }) => waitingFor?.kind === "plan-approval");
  await comment(stage, waiting, "approve plan");
  return run;
}

async function pokeUntilContinued(stage: Stage, run: string, view: RunView): Promise<void> {
  const before = (await executionsOf(stage.temporal.address, run)).length;
  for (let poke = 0; (await executionsOf(stage.temporal.address, run)).length === before; poke += 1) {
    if (poke > 50) throw new Error(`${run} did not go on with a new history.`);
    await comment(stage, view, "answer Nothing was asked.");
    await until(stage, run, ({ refused }) => refused.length > poke);
  }
}

async function merged(stage: Stage, keep: Keep): Promise<void> {
  const { title, body } = demoRepositories[REPOSITORY]!;
  const run = await start(stage, title, body);
  await asked(stage, run);
  await keep("resolve-issue-waiting", run);
  await finish(stage, run, "approve", "merged");
  await keep("resolve-issue-merged-after-a-revision", run);
  await keep("run-agent-classifier", agentWorkflowId(run, "classifier", 1));
  await keep("run-agent-planner", agentWorkflowId(run, "planner", 1));
  await keep("run-agent-coder", agentWorkflowId(run, "coder", 1));
  await keep("run-agent-coder-second-round", agentWorkflowId(run, "coder", 2));
  await keep("run-agent-reviewer", agentWorkflowId(run, "reviewer", 1));
}

async function declinedAndForked(stage: Stage, keep: Keep): Promise<void> {
  const run = await start(stage, TITLES.declined);
  const { issue } = await asked(stage, run);
  const env = { ...process.env, MERGEWRIGHT_HOME: stage.home, GITHUB_API_URL: stage.github.apiUrl };
  const words = ["fork", run, "--turn", "1", "--instruct", "Smaller, please."];
  await promisify(execFile)(process.execPath, [program, ...words], { cwd: stage.folder, env });
  const fork = issueWorkflowId(stage.repository, issue, 1);
  await asked(stage, fork);
  await finish(stage, fork, REJECT, "declined");
  await keep("resolve-issue-fork", fork);
  await keep("run-agent-fork", agentWorkflowId(fork, "coder", 1));
  await finish(stage, run, REJECT, "declined");
  await keep("resolve-issue-declined", run);
  await keep("handle-delivery-message", await delivery(stage, "issue_comment", `/mergewright ${REJECT}`));
  // Who may not write is not obeyed.
  const author = stage.github.people.as(stage.author);
  await author.comment(stage.repository, issue, "/mergewright run");
  await keep("handle-delivery-ignored", await delivery(stage, "issue_comment", '"body":"/mergewright run"'));
}

async function failed(stage: Stage, keep: Keep): Promise<void> {
  const run = await start(stage, TITLES.failed);
  await ended(stage, run, "failed");
  await keep("resolve-issue-failed", run);
}

async function cancelled(stage: Stage, keep: Keep): Promise<void> {
  const run = await start(stage, TITLES.cancelled);
  const working = await until(stage, run, ({ phase, agents }) => {
    return phase === "working" && agents.some(({ role, turns }) => role === "coder" && turns > 0);
  });
  await comment(stage, working, "cancel");
  await ended(stage, run, "cancelled");
  await keep("resolve-issue-cancelled", run);
  await keep("run-agent-cancelled", agentWorkflowId(run, "coder", 1));
}

/** A key that Claude refuses is for an operator, a limit passes by itself. */
async function parked(stage: Stage, keep: Keep): Promise<void> {
  const { faults } = stage.model!;
  faults.add({ kind: "status", role: "classifier", status: 401, type: "authentication_error", message: "No such key" });
  faults.add({ kind: "rate-limit", role: "planner", retryAfter: "2" });
  const run = await start(stage, TITLES.parked);
  await comment(stage, await until(stage, run, ({ waitingFor }) => waitingFor?.kind === "operator"), "resume");
  await asked(stage, run);
  await finish(stage, run, REJECT, "declined");
  await keep("resolve-issue-parked", run);
  await keep("run-agent-parked", agentWorkflowId(run, "classifier", 1));
  await keep("run-agent-rate-limited", agentWorkflowId(run, "planner", 1));
  await comment(stage, await until(stage, run, () => true), "remember Durations are rounded before they are split.");
  await keep("handle-delivery-teach", await delivery(stage, "issue_comment", "/mergewright remember"));
  await keep("handle-delivery-start", await delivery(stage, "issues", '"labeled"'));
}

async function othersPushed(stage: Stage, keep: Keep): Promise<void> {
  const { github, maintainer, repository } = stage;
  const run = await start(stage, TITLES.others);
  const { issue, pullRequest } = await asked(stage, run);
  const files = { "NOTES.md": "By hand.\n" };
  await github.people.push({ as: maintainer, repository, branch: branchName(issue), files });
  const again = await asked(stage, run, ({ pullRequest: now }) => now!.headSha !== pullRequest!.headSha);
  await comment(stage, again, "revise A line in the change log, please.");
  await asked(stage, run, ({ pullRequest: now }) => now!.headSha !== again.pullRequest!.headSha);
  await finish(stage, run, REJECT, "declined");
  await keep("resolve-issue-others-pushed", run);
  await keep("run-agent-coder-new-tree", agentWorkflowId(run, "coder", 2));
}

function look(n: number): Turn {
  return { text: `Step ${n}.`, uses: [bash(`git status --short; echo ${n}`)] };
}

async function start(stage: Stage, title: string, body = "59.7 s."): Promise<string> {
  const { people } = stage.github;
  const { number } = await people.as(stage.author).openIssue(stage.repository, { title, body });
  await people.as(stage.maintainer).label(stage.repository, number, "mergewright");
  return issueWorkflowId(stage.repository, number);
}

function comment(stage: Stage, { id, issue, pullRequest }: RunView, words: string): Promise<unknown> {
  // What is said to a fork is said on its own pull request.
  const place = id === issueWorkflowId(stage.repository, issue) ? issue : pullRequest!.number;
  return stage.github.people.as(stage.maintainer).comment(stage.repository, place, `/mergewright ${words}`);
}

function asked(stage: Stage, run: string, fits: (view: RunView) => boolean = () => true): Promise<RunView> {
  return until(stage, run, (view) => view.waitingFor?.kind === "approval" && fits(view));
}

async function finish(stage: Stage, run: string, words: string, kind: Outcome["kind"]): Promise<void> {
  await comment(stage, await asked(stage, run), words);
  await ended(stage, run, kind);
}

async function ended(stage: Stage, run: string, kind: Outcome["kind"]): Promise<void> {
  const { outcome } = await until(stage, run, (view) => isEnded(view.phase) && view.execution.closedAt !== null);
  if (outcome?.kind !== kind) throw new Error(`${run} did not end ${kind}: ${JSON.stringify(outcome)}`);
}

/** The workflow that took in a delivery, by what was in it; it has ended. */
async function delivery(stage: Stage, event: string, text: string): Promise<string> {
  await stage.github.people.idle();
  const found = (await stage.github.people.deliveries()).find(
    (each) => each.event === event && each.payload.includes(text),
  );
  if (!found) throw new Error(`There was no delivery ${event} with ${text}.`);
  const id = deliveryWorkflowId(found.guid);
  await untilEnded(stage.temporal.address, id);
  return id;
}

async function until(stage: Stage, run: string, fits: (view: RunView) => boolean): Promise<RunView> {
  const deadline = Date.now() + PATIENCE_MS;
  let last: RunView | null = null;
  while (Date.now() < deadline) {
    const answer = await fetch(`${stage.url}/api/tasks/${encodeURIComponent(run)}`);
    const view = answer.ok ? ((await answer.json()) as RunView) : null;
    last = view ?? last;
    if (view?.incomplete === null && fits(view)) return view;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const seen = JSON.stringify(last && { ...last, plan: null, evidence: null });
  throw new Error(
    `${run} did not come far enough within ${PATIENCE_MS / 60_000} minutes: ${seen}. Its log: ${stage.logFile}`,
  );
}
