/**
 * Records the histories that `test/workflows/replay.test.ts` replays: plays the demo, and keeps what Temporal wrote down of a run,
 * of its coder's work, of the delivery that started it, of its memory, and of upkeep. To be run when a change of the workflow code is meant to break them:
 * `npm run histories:record`.
 */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { demoRepositories } from "../demo/repositories/index.ts";
import { removeStage, setStage, type Stage } from "../demo/stage.ts";
import { agentWorkflowId, deliveryWorkflowId, issueWorkflowId } from "../domain/ids.ts";
import type { RunView } from "../api/run-view.ts";

const REPOSITORY = "little-duration";
const PATIENCE_MS = 5 * 60_000;
const LOCAL_ADDRESS = /(http:\/\/127\.0\.0\.1):\d+/g;
/** Sticky task queues carry the process and its host in their name. */
const PROCESS = new RegExp(`\\d+@${hostname()}`, "g");
const folder = fileURLToPath(new URL("../test/histories/", import.meta.url));

const handedOn = ["TEMPORAL_CLI", "DOCKER_IMAGE", "EXECUTION_MODE"].flatMap((name) => {
  const value = process.env[name];
  return value ? [[name, value]] : [];
});
const stage = await setStage({
  repositoryName: REPOSITORY,
  live: null,
  env: Object.fromEntries(handedOn) as Record<string, string>,
});
try {
  const workflows = await play(stage);
  await mkdir(folder, { recursive: true });
  for (const [name, workflowId] of Object.entries(workflows)) {
    const history = scrubbed(await recorded(stage, workflowId));
    // One event on each line: a history is read by people, too, when it does not replay.
    await writeFile(
      `${folder}${name}.json`,
      `{"events":[\n${history.events.map((event) => JSON.stringify(event)).join(",\n")}\n]}\n`,
    );
    process.stdout.write(`${name}: ${workflowId}, ${history.events.length} events\n`);
  }
  await stage.close();
  await removeStage(stage);
} catch (error) {
  // The folder stays: the log in it tells more.
  await stage.close();
  throw error;
}

/** Names of the files, and the workflows that they tell of. */
async function play({ github, repository, maintainer, author }: Stage): Promise<Record<string, string>> {
  const source = demoRepositories[REPOSITORY]!;
  const { number } = await github.people.as(author).openIssue(repository, { title: source.title, body: source.body });
  await github.people.as(maintainer).label(repository, number, "mergewright");
  const run = issueWorkflowId(repository, number);
  await untilRun(run, (view) => view.waitingFor?.kind === "approval");
  await github.people.as(maintainer).comment(repository, number, "/mergewright approve");
  const over = await untilRun(run, (view) => view.execution.closedAt !== null);
  if (over.outcome?.kind !== "merged") throw new Error(`The run did not end merged: ${JSON.stringify(over.outcome)}`);
  const labeled = (await github.people.deliveries()).find(
    ({ event, action }) => event === "issues" && action === "labeled",
  );
  if (!labeled) throw new Error("There was no delivery of the label.");
  return {
    "resolve-issue-merged-after-a-revision": run,
    "run-agent-coder": agentWorkflowId(run, "coder", 1),
    "run-agent-coder-second-round": agentWorkflowId(run, "coder", 2),
    "handle-delivery-start": deliveryWorkflowId(labeled.guid),
    "index-repository": await ended("indexRepository"),
    "keep-memories": await ended("keepMemories"),
    reconcile: await ended("reconcile"),
    retention: await ended("retention"),
    "memory-retention": await ended("memoryRetention"),
  };
}

/** A workflow of this type that has ended: what a schedule starts carries the time in its id, and what works beside a run may outlast it. */
async function ended(type: string): Promise<string> {
  const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Completed'`;
  const words = ["workflow", "list", "--address", stage.temporal.address, "--query", query, "--output", "json"];
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline;) {
    const { stdout } = await promisify(execFile)(process.env["TEMPORAL_CLI"] ?? "temporal", words);
    const [first] = JSON.parse(stdout) as { execution: { workflowId: string } }[];
    if (first) return first.execution.workflowId;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`No ${type} has ended yet.`);
}

async function untilRun(workflowId: string, fits: (view: RunView) => boolean): Promise<RunView> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline) {
    const answer = await fetch(`${stage.url}/api/tasks/${encodeURIComponent(workflowId)}`);
    const view = answer.ok ? ((await answer.json()) as RunView) : null;
    if (view && fits(view)) return view;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(
    `${workflowId} did not come far enough within ${PATIENCE_MS / 60_000} minutes. Its log: ${stage.logFile}`,
  );
}

interface History {
  events: Record<string, unknown>[];
}

async function recorded({ temporal }: Stage, workflowId: string): Promise<string> {
  const cli = process.env["TEMPORAL_CLI"] ?? "temporal";
  const words = ["workflow", "show", "--address", temporal.address, "--workflow-id", workflowId, "--output", "json"];
  return (await promisify(execFile)(cli, words, { maxBuffer: 64 * 1024 * 1024 })).stdout;
}

/** What tells of this machine is replaced: who polled, and where the servers of the demo listened. Throws when more is left. */
function scrubbed(json: string): History {
  const history = JSON.parse(json, (key, value: unknown) => {
    if (typeof value !== "string") return value;
    if (key === "identity") return "worker";
    return key === "data" ? encoded(withoutPlace(decoded(value))) : withoutPlace(value);
  }) as History;
  const text = JSON.stringify(history, (key, value: unknown) =>
    key === "data" && typeof value === "string" ? decoded(value) : value,
  );
  for (const secret of [stage.folder, tmpdir(), `@${hostname()}`, "played-", process.cwd()]) {
    if (text.includes(secret))
      throw new Error(`A history still tells ${JSON.stringify(secret)}: ...${around(text, secret)}...`);
  }
  return history;
}

function withoutPlace(text: string): string {
  return text.replace(LOCAL_ADDRESS, "$1:1").replace(PROCESS, "1@worker");
}

function decoded(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}

function encoded(text: string): string {
  return Buffer.from(text).toString("base64");
}

function around(text: string, part: string): string {
  const at = text.indexOf(part);
  return text.slice(Math.max(0, at - 80), at + 80);
}
