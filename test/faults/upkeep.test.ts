/** What is done for itself: what webhooks did not bring is found on GitHub and started once, and what dead workers left is removed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, Connection } from "@temporalio/client";
import { expect, it } from "vitest";
import { bash, type PlayedRequest, type PlayedTurn, type Scenario } from "../../demo/model/scenario.ts";
import type { Stage } from "../../demo/stage.ts";
import { shortStory } from "../e2e/short-scenario.ts";
import { commentsOf, ended, onStage, ourEffects, reaches, surroundings, until } from "../e2e/support.ts";
import { makeKey } from "../github/github.ts";

const TITLE = 'Shows "60s" where a minute is meant';
const scenarios = [shortStory({ title: TITLE })];
/** Every three seconds. */
const settings = "upkeep: { reconcile_minutes: 0.05 }\n";
const { env } = surroundings("local");

it("A16: a webhook that comes while Temporal is away is answered with 5xx within 10 s, and found later", async () => {
  await onStage({ env, settings, scenarios }, async (stage) => {
    const { pid } = JSON.parse(readFileSync(join(stage.home, "temporal.json"), "utf8")) as { pid: number };
    process.kill(pid, "SIGSTOP");
    const number = await labelledIssue(stage).finally(() => process.kill(pid, "SIGCONT"));
    const attempts = (await stage.github.people.deliveries())
      .filter(({ event, action }) => event === "issues" && action === "labeled")
      .flatMap((delivery) => delivery.attempts);
    expect(attempts).toEqual([expect.objectContaining({ status: 503 })]);
    expect(attempts[0]!.durationMs).toBeLessThan(10_000);
    await reaches(stage, number, "awaiting-approval", (run) => run.phase === "awaiting-approval");
    await expectOneRun(stage, number);
  });
}, 200_000);

it("A17: with a token, labelled issues and commands that no webhook told of are found, started once, and heard", async () => {
  await onStage({ env, settings, scenarios }, async (stage) => {
    const { people } = stage.github;
    await people.setWebhook(null);
    const strangers = await people.as(stage.author).openIssue(stage.repository, { title: "Not theirs to start" });
    await people.as(stage.author).comment(stage.repository, strangers.number, "/mergewright run");
    const number = await labelledIssue(stage);
    await reaches(stage, number, "awaiting-approval", (run) => run.phase === "awaiting-approval");
    await expectOneRun(stage, number);

    await people.as(stage.maintainer).comment(stage.repository, number, "/mergewright approve");
    const run = await ended(stage, number);
    expect(run.outcome?.kind).toBe("merged");
    expect(run.refused).toEqual([]);
    expect(await ourEffects(stage, MERGE)).toHaveLength(1);

    // Sweeps go on, and find nothing that is not known.
    const before = (await sweeps(stage)).length;
    await until("two more sweeps", async () => (await sweeps(stage)).length >= before + 2);
    await expectOneRun(stage, number);
    const client = await clientOf(stage);
    const handed = await handedOn(client);
    // The stranger's command was handed on, asked about, and not obeyed.
    expect(handed.toSorted()).toEqual(
      [
        `ignored: @${stage.author} has read permission; write is needed to start a run`,
        `started issue/${stage.repository}/${number}`,
      ].toSorted(),
    );
    await client.connection.close();
  });
}, 300_000);

it("A17: with an App, every delivery that failed is found in its list of deliveries and done once", async () => {
  const key = makeKey();
  const app = {
    GITHUB_TOKEN: "",
    GITHUB_APP_ID: "4242",
    GITHUB_APP_PRIVATE_KEY: key.privateKey.replaceAll("\n", "\\n"),
  };
  await onStage({ env: { ...env, ...app }, settings, scenarios }, async (stage) => {
    const { people } = stage.github;
    const owner = stage.repository.split("/")[0]!;
    await people.addApp({ id: 4242, slug: "mergewright", publicKey: key.publicKey, installedOn: [owner] });
    const secret = readFileSync(join(stage.folder, "github", "world.json"), "utf8");
    const webhook = (JSON.parse(secret) as { webhook: { url: string; secret: string } }).webhook;
    await people.setWebhook({ ...webhook, url: "http://127.0.0.1:1/webhook/github" });
    const number = await labelledIssue(stage);
    await reaches(stage, number, "awaiting-approval", (run) => run.phase === "awaiting-approval");
    await people.as(stage.maintainer).comment(stage.repository, number, "/mergewright approve");
    const run = await ended(stage, number);
    expect(run.outcome?.kind).toBe("merged");

    // The same delivery by its webhook, late: it is known.
    await people.setWebhook(webhook);
    const label = (await people.deliveries()).find(({ event, action }) => event === "issues" && action === "labeled")!;
    await people.redeliver(label.guid);
    await expectOneRun(stage, number);
    const merges = (await people.ledger()).filter(({ route }) => route === MERGE);
    expect(merges).toHaveLength(1);
  });
}, 300_000);

it("D12: containers of a killed worker are adopted when its run goes on, and removed when the run was terminated", async () => {
  const docker = surroundings();
  const said: string[] = [];
  await onStage({ env: docker.env, scenarios: [slowStory(said)] }, async (stage) => {
    const number = await labelledIssue(stage);
    const coder = () => until("the coder's command runs", async () => answeredCoder(stage) >= 1);
    await coder();
    await sleep(1_500);
    const before = await docker.containers();
    await stage.restart();
    await reaches(stage, number, "awaiting-approval", (run) => run.phase === "awaiting-approval");
    expect(said.join()).toContain("started once");
    expect(said.join()).not.toContain("started again");
    const after = await docker.containers();
    if (docker.sandbox === "docker") {
      expect(before.length).toBeGreaterThan(0);
      expect(after.some((name) => before.includes(name))).toBe(true);
    } else expect(readdirSync(join(stage.home, "sandboxes"))).not.toEqual([]);

    const client = await clientOf(stage);
    await client.workflow
      .getHandle(`issue/${stage.repository.toLowerCase()}/${number}`)
      .terminate("to see what is left");
    await client.connection.close();
    await stage.restart();
    await until("no container is left", async () => (await docker.containers()).length === 0);
    const folders = join(stage.home, "sandboxes");
    await until("no folder is left", async () => !existsSync(folders) || readdirSync(folders).length === 0);
  });
}, 300_000);

/** The coder begins with a command of some seconds, which tells whether it had been started before. */
function slowStory(said: string[]): Scenario {
  const command = "if [ -e .git/ran ]; then echo started again; else touch .git/ran; echo started once; fi; sleep 4";
  const listening = (request: PlayedRequest): PlayedTurn => {
    said.push(request.lastResult);
    return { text: "I look what is there.", uses: [bash("git status --short")] };
  };
  return shortStory({ title: TITLE, before: [{ text: "I try it.", uses: [bash(command)] }, listening] });
}

function answeredCoder(stage: Stage): number {
  return stage.model!.ledger.read().entries.filter((entry) => entry.role === "coder" && entry.delivered).length;
}

const MERGE = "/repos/{owner}/{repo}/pulls/{pull_number}/merge";

async function labelledIssue(stage: Stage): Promise<number> {
  const { people } = stage.github;
  const { number } = await people.as(stage.author).openIssue(stage.repository, { title: TITLE, body: "59.7 s." });
  await people.as(stage.maintainer).label(stage.repository, number, "mergewright");
  await people.idle();
  return number;
}

async function expectOneRun(stage: Stage, number: number): Promise<void> {
  const client = await clientOf(stage);
  const runs: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query: "WorkflowType = 'resolveIssue'" }))
    runs.push(workflowId);
  expect(runs).toEqual([`issue/${stage.repository.toLowerCase()}/${number}`]);
  const comments = await commentsOf(stage, number);
  expect(comments.filter(({ body }) => body.includes("<!-- mergewright:progress "))).toHaveLength(1);
  await client.connection.close();
}

/** What became of deliveries that a sweep made. */
async function handedOn(client: Client): Promise<string[]> {
  const results: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query: "WorkflowType = 'handleDelivery'" }))
    if (workflowId.startsWith("delivery/sweep-"))
      results.push((await client.workflow.getHandle(workflowId).result()) as string);
  return results;
}

async function sweeps(stage: Stage): Promise<string[]> {
  const client = await clientOf(stage);
  const ids: string[] = [];
  const query = "WorkflowType = 'reconcile' AND ExecutionStatus = 'Completed'";
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  await client.connection.close();
  return ids;
}

async function clientOf(stage: Stage): Promise<Client> {
  return new Client({ connection: await Connection.connect({ address: stage.temporal.address }) });
}
