/** What Schedules do: what webhooks did not bring is found on GitHub, and started once. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { expect, it } from "vitest";
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
