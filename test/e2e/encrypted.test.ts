/**
 * A whole story with a key: what Temporal and the artifact store keep tells nothing of the issue, the code or the prompts, and
 * all that people do with a run still works. About 40 s alone.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client, Connection } from "@temporalio/client";
import { bundleWorkflowCode, DefaultLogger, Worker } from "@temporalio/worker";
import { expect, it } from "vitest";
import { demoRepositories } from "../../demo/repositories/index.ts";
import type { Stage } from "../../demo/stage.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { createEncryptedArtifacts } from "../../activities/adapters/artifacts/encrypted.ts";
import { createFileArtifacts } from "../../activities/adapters/artifacts/file.ts";
import { dataConverterFor, encodedFailures } from "../../workers/payloads/data-converter.ts";
import { quietRuntime, temporalCli } from "../support/temporal.ts";
import { ended, onStage, ourEffects, reaches, signal, surroundings, until } from "./support.ts";

const TOKEN = "an-api-token-for-the-encrypted-story";
const KEYS = ["old", "new"].map((id) => ({ id, key: randomBytes(32) }));
const [OLD, NEW] = KEYS.map(({ id, key }) => `${id}:${key.toString("base64")}`) as [string, string];
const SAID_IN_THE_OPEN = "words that were sent without a codec";
const source = demoRepositories["little-duration"]!;
/** As it stands in JSON, with its quotation marks escaped. */
const TITLE = JSON.stringify(source.title).slice(1, -1);

it("with a key, nothing that was stored can be read; plain signals, rotation, replay, Schedules and the codec server work", async () => {
  const { env } = surroundings("local");
  const encrypted = { ...env, MERGEWRIGHT_API_TOKEN: TOKEN, MERGEWRIGHT_PAYLOAD_KEY: OLD };
  await onStage({ env: encrypted }, async (stage) => {
    const { people } = stage.github;
    const issue = await people.as(stage.author).openIssue(stage.repository, { title: source.title, body: source.body });
    await people.as(stage.maintainer).label(stage.repository, issue.number, "mergewright");
    await until("the coder is at work", async () => coderReplies(stage) >= 2);
    await stage.restart({ MERGEWRIGHT_PAYLOAD_KEY: `${NEW},${OLD}` });

    const waits = await reaches(stage, issue.number, "its question", (run) => run.waitingFor?.kind === "approval");
    await signal(stage, issue.number, "answer", { by: stage.maintainer, text: SAID_IN_THE_OPEN });
    await signal(stage, issue.number, "approveMerge", { by: stage.maintainer });
    const run = await ended(stage, issue.number);
    expect(run.outcome?.kind).toBe("merged");
    expect(await ourEffects(stage, "/repos/{owner}/{repo}/pulls/{pull_number}/merge")).toHaveLength(1);

    await codecAnswersOnlyTheAllowed(stage, issue.number);
    await historiesReplay(stage, issue.number);
    await schedulesWork(stage);
    await stage.product.stop();
    await nothingIsReadable(stage, [run.plan!.split("\n").toSorted(byLength)[0]!, waits.evidence.command!]);
  });
}, 300_000);

function coderReplies(stage: Stage): number {
  return stage.model!.ledger.read().entries.filter((entry) => entry.role === "coder" && entry.delivered).length;
}

async function codecAnswersOnlyTheAllowed(stage: Stage, issue: number): Promise<void> {
  const id = issueWorkflowId(stage.repository, issue);
  const show = async (...codec: string[]): Promise<string> => {
    const words = ["workflow", "show", "--address", stage.temporal.address, "--workflow-id", id, "--output", "json"];
    return (await promisify(execFile)(temporalCli(), [...words, ...codec], { maxBuffer: 64 * 1024 * 1024 })).stdout;
  };
  const endpoint = ["--codec-endpoint", `${stage.url}/codec`];
  const encoded = await show();
  expect(plainTexts(encoded)).not.toContain(TITLE);
  expect(plainTexts(await show(...endpoint, "--codec-auth", `Bearer ${TOKEN}`))).toContain(TITLE);
  await expect(show(...endpoint, "--codec-auth", "Bearer another")).rejects.toThrow();
  await expect(show(...endpoint)).rejects.toThrow();
}

/** A history as JSON, with what its payloads hold. */
function plainTexts(history: string): string {
  const texts: string[] = [];
  JSON.parse(history, (key, value: unknown) => {
    if (key === "data" && typeof value === "string") texts.push(Buffer.from(value, "base64").toString("utf8"));
    return value;
  });
  return history + texts.join("\n");
}

function converterOf(stage: Stage) {
  return dataConverterFor({
    artifacts: { kind: "file", url: "", directory: join(stage.home, "artifacts") },
    payloadKeys: KEYS.map((each) => ({ ...each, written: "" })),
    inlinePayloadBytes: 32_768,
  });
}

async function historiesReplay(stage: Stage, issue: number): Promise<void> {
  const id = issueWorkflowId(stage.repository, issue);
  const dataConverter = converterOf(stage);
  const connection = await Connection.connect({ address: stage.temporal.address });
  const client = new Client({ connection, dataConverter });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: join(import.meta.dirname, "../../workflows/index.ts"),
    failureConverterPath: encodedFailures,
    logger: new DefaultLogger("ERROR"),
  });
  quietRuntime();
  let replayed = 0;
  for await (const { workflowId, runId } of client.workflow.list({ query: "ExecutionStatus = 'Completed'" })) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle, dataConverter }, history, workflowId);
    replayed += workflowId.startsWith(id) ? 1 : 0;
  }
  // The run, and its agents: classifier, planner, coder and reviewer.
  expect(replayed).toBeGreaterThanOrEqual(5);
  await connection.close();
}

async function schedulesWork(stage: Stage): Promise<void> {
  const connection = await Connection.connect({ address: stage.temporal.address });
  const client = new Client({ connection });
  for (const workflow of ["reconcile", "retention"]) {
    const handle = client.schedule.getHandle(`upkeep/${workflow}`);
    const done = await until(`${workflow} has run`, async () => (await handle.describe()).info.recentActions.at(-1));
    const { workflowId } = (done.action as { workflow: { workflowId: string } }).workflow;
    await until(`${workflow} has ended`, async () => {
      const { status } = await client.workflow.getHandle(workflowId).describe();
      if (!["RUNNING", "COMPLETED"].includes(status.name)) throw new Error(`${workflowId}: ${status.name}`);
      return status.name === "COMPLETED";
    });
  }
  await connection.close();
}

async function nothingIsReadable(stage: Stage, ofTheRun: readonly string[]): Promise<void> {
  const prompts = join(import.meta.dirname, "../../agents/prompts");
  const phrases = [
    ...source.body.split("\n"),
    ...readdirSync(prompts).flatMap((name) => readFileSync(join(prompts, name), "utf8").split("\n")),
    ...ofTheRun,
    "formatDuration",
    "npm test",
    "Rounded before it is split",
  ].filter((line) => line.length > 7 && !/["\\]/.test(line));
  phrases.push(source.title, TITLE);
  expect(phrases.length).toBeGreaterThan(20);

  const artifacts = join(stage.home, "artifacts");
  const stored = filesIn(artifacts).map((path) => readFileSync(path));
  const temporal = filesIn(stage.home)
    .filter((path) => path.includes("temporal.db"))
    .map((path) => readFileSync(path));
  for (const phrase of phrases) {
    expect({ phrase, found: stored.filter((content) => content.includes(phrase)).length }).toEqual({
      phrase,
      found: 0,
    });
    expect({ phrase, found: temporal.filter((content) => content.includes(phrase)).length }).toEqual({
      phrase,
      found: 0,
    });
  }
  // And what is not encrypted would have been found: a signal in the open, and the names of things.
  expect(temporal.some((content) => content.includes(SAID_IN_THE_OPEN))).toBe(true);
  expect(temporal.some((content) => content.includes(issueWorkflowId(stage.repository, 1)))).toBe(true);
  const [runKey] = readdirSync(join(artifacts, "runs"));
  const store = createEncryptedArtifacts(createFileArtifacts(artifacts), KEYS);
  const issue = await store.get(`runs/${runKey}/issue.json`);
  expect(Buffer.from(issue!).toString("utf8")).toContain(TITLE);
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
}

function byLength(a: string, b: string): number {
  return b.length - a.length;
}
