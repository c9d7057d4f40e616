/** People at work on runs: strangers, a maintainer who changes her mind, somebody who pushes, a rejection. About 30 s alone. */
import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client, Connection } from "@temporalio/client";
import { expect, it } from "vitest";
import type { RunView } from "../../api/run-view.ts";
import type { Stage } from "../../demo/stage.ts";
import { branchName, issueWorkflowId } from "../../domain/ids.ts";
import { CHANGE_LOG_LINE, shortStory } from "./short-scenario.ts";
import { commentsOf, ended, onStage, ourEffects, reaches, signal, statusOf, surroundings, until } from "./support.ts";

const REVISED = 'Shows "60s" where a minute is meant';
const REJECTED = "Seconds are rounded up, but not carried";
const STRANGER = "stan-stranger";
const LIMIT_MS = 300_000;

it(
  "runs obey those who may write, and nobody else, from the label to the end",
  async () => {
    const { env, containers } = surroundings();
    await onStage(
      { env, scenarios: [shortStory({ title: REVISED }), shortStory({ title: REJECTED })] },
      async (stage) => {
        const { people } = stage.github;
        await people.addAccount({ login: STRANGER });
        await strangersStartNothing(stage);
        const revised = await startRun(stage, REVISED);
        const rejected = await startRun(stage, REJECTED);

        const first = await awaitsApproval(stage, revised);
        await strangersApproveNothing(stage, revised, first);
        const second = await revisedByComment(stage, revised, first);
        await rejectedBySignal(stage, rejected);
        await voidedByPush(stage, revised, second);
        await redeliveredInVain(stage, revised);
        await startedAgain(stage, rejected);
        expect(await containers()).toEqual([]);
      },
    );
  },
  LIMIT_MS,
);

async function startRun(stage: Stage, title: string): Promise<number> {
  const { people } = stage.github;
  const { number } = await people.as(stage.author).openIssue(stage.repository, { title, body: "59.7 s." });
  await people.as(stage.maintainer).label(stage.repository, number, "mergewright");
  return number;
}

/** Waits for the question which commit to merge. `not`: the head that was asked about before. */
function awaitsApproval(stage: Stage, issue: number, not?: string): Promise<RunView> {
  return reaches(
    stage,
    issue,
    "its question",
    (run) => run.waitingFor?.kind === "approval" && run.pullRequest?.headSha !== not,
  );
}

/** What ended unmerged may be tried again: over the branch that the first run left, in a pull request of its own. */
async function startedAgain(stage: Stage, issue: number): Promise<void> {
  const before = await ended(stage, issue);
  await stage.github.people.as(stage.maintainer).comment(stage.repository, issue, "/mergewright run");
  await until("the second run", async () => (await statusOf(stage, issue))?.outcome === null);
  const again = await awaitsApproval(stage, issue);
  expect(again.pullRequest?.number).not.toBe(before.pullRequest?.number);
  expect(again.refused).toEqual([]);
  await signal(stage, issue, "approveMerge", { by: stage.maintainer, sha: again.pullRequest!.headSha });
  expect(await ended(stage, issue)).toMatchObject({ outcome: { kind: "merged" } });
}

/** An issue of a stranger, with the label's name and a command in it, is an issue like any other. */
async function strangersStartNothing(stage: Stage): Promise<void> {
  const { people } = stage.github;
  const stranger = people.as(STRANGER);
  const { number } = await stranger.openIssue(stage.repository, {
    title: REVISED,
    body: "/mergewright run",
    labels: ["mergewright"],
  });
  await stranger.comment(stage.repository, number, "/mergewright run");
  await people.as(stage.author).comment(stage.repository, number, "/mergewright run");
  await settled(stage);
  expect(await statusOf(stage, number)).toBeNull();
  expect(await runsOf(stage, number)).toEqual([]);
  expect(await ours(stage, number)).toEqual([]);
}

async function strangersApproveNothing(stage: Stage, issue: number, run: RunView): Promise<void> {
  const { number, headSha } = run.pullRequest!;
  const stranger = stage.github.people.as(STRANGER);
  await stranger.comment(stage.repository, number, "/mergewright approve");
  await stranger.comment(stage.repository, issue, "/mergewright reject I do not like it");
  await stranger.review(stage.repository, number, { event: "APPROVE", commit_id: headSha });
  await signal(stage, issue, "approveMerge", { by: STRANGER, sha: headSha });
  await signal(stage, issue, "approveMerge", { by: stage.author });
  const after = await reaches(stage, issue, "five refusals", ({ refused }) => refused.length === 5);
  const refused = after.refused.map(({ by }) => String(by));
  expect(refused.filter((by) => by === STRANGER)).toHaveLength(4);
  expect(refused).toContain(stage.author);
  expect({ ...after, refused: [] }).toEqual(run);
}

/** A second commit on the same branch and the same pull request. */
async function revisedByComment(stage: Stage, issue: number, first: RunView): Promise<RunView> {
  const maintainer = stage.github.people.as(stage.maintainer);
  const { number, headSha } = first.pullRequest!;
  await maintainer.comment(stage.repository, number, "/mergewright revise Please tell of it in the change log.");
  const second = await awaitsApproval(stage, issue, headSha);
  expect(second.pullRequest!.number).toBe(number);
  const log = await inClone(stage, ["log", "--format=%H", `main..origin/${branchName(issue)}`]);
  expect(log.split("\n")).toEqual([second.pullRequest!.headSha, headSha]);
  return second;
}

async function rejectedBySignal(stage: Stage, issue: number): Promise<void> {
  const { pullRequest } = await awaitsApproval(stage, issue);
  await signal(stage, issue, "reject", { by: stage.maintainer, reason: "not worth a release" });
  const run = await ended(stage, issue);
  expect(run.outcome).toMatchObject({ kind: "declined", reason: expect.stringContaining("not worth a release") });
  const path = `/repos/${stage.repository}/pulls/${pullRequest!.number}`;
  const pull = await stage.github.people.as(stage.maintainer).rest("GET", path);
  expect(pull).toMatchObject({ state: "closed", merged: false });
  const [comment, ...others] = await ours(stage, pullRequest!.number);
  expect(others).toEqual([]);
  expect(comment).toContain("not worth a release");
}

/** Somebody pushes in the moment between the approval and the merge: what was approved is not what would be merged. */
async function voidedByPush(stage: Stage, issue: number, run: RunView): Promise<void> {
  const { people } = stage.github;
  const { number, headSha } = run.pullRequest!;
  await people.fault({ method: "PUT", path: "/merge$", delayMs: 2_000 });
  await signal(stage, issue, "approveMerge", { by: stage.maintainer, sha: headSha });
  await until("the merge is on its way", async () => (await people.faults()).some((fault) => fault.struck === 1));
  const order = { as: stage.maintainer, repository: stage.repository, branch: branchName(issue) };
  const { sha } = await people.push({ ...order, files: { "NOTES.md": "A last word.\n" } });

  const again = await awaitsApproval(stage, issue, headSha);
  expect(again.pullRequest).toMatchObject({ number, headSha: sha });
  expect(
    again.refused
      .slice(5)
      .map(({ reason }) => reason)
      .join("\n"),
  ).toContain("void");
  expect(await ourEffects(stage, "/repos/{owner}/{repo}/pulls/{pull_number}/merge")).toEqual([]);

  // An approval of what was there before does not count any more; one of the new head does.
  await people.as(stage.maintainer).review(stage.repository, number, { event: "APPROVE", commit_id: headSha });
  await reaches(stage, issue, "a refusal", ({ refused }) => refused.length > again.refused.length);
  await people.as(stage.maintainer).comment(stage.repository, number, "/mergewright approve");
  expect((await ended(stage, issue)).outcome?.kind).toBe("merged");
  expect(await inClone(stage, ["show", "main:CHANGELOG.md"])).toContain(CHANGE_LOG_LINE);
  expect(await inClone(stage, ["show", "main:NOTES.md"])).toContain("A last word.");
}

/** The delivery that started the run, after its end: once more by its own id, and once as if by a second hook. */
async function redeliveredInVain(stage: Stage, issue: number): Promise<void> {
  const { people } = stage.github;
  const before = await runsOf(stage, issue);
  expect(before).toHaveLength(1);
  const isTrigger = (payload: string): boolean =>
    (JSON.parse(payload) as { issue: { number: number } }).issue.number === issue;
  const trigger = (await people.deliveries()).find(
    ({ action, payload }) => action === "labeled" && isTrigger(payload),
  )!;
  const { attempts } = await people.redeliver(trigger.guid);
  expect(attempts.map(({ status }) => status)).toEqual([202, expect.toBeOneOf([200, 202, 204])]);
  await people.deliver({ event: trigger.event, action: "labeled", payload: JSON.parse(trigger.payload) as object });
  await settled(stage);
  expect(await runsOf(stage, issue)).toEqual(before);
}

/** Every delivery was sent, and every workflow that took one in has ended. */
async function settled(stage: Stage): Promise<void> {
  await stage.github.people.idle();
  const sent = (await stage.github.people.deliveries()).length;
  expect(sent).toBeGreaterThan(0);
  await until("the deliveries are taken in", async () => {
    const open = await list(stage, 'WorkflowType = "handleDelivery" AND ExecutionStatus = "Running"');
    return open.length === 0;
  });
}

function runsOf(stage: Stage, issue: number): Promise<string[]> {
  // One that goes on with a new history is still one run.
  return list(
    stage,
    `WorkflowId = "${issueWorkflowId(stage.repository, issue)}" AND ExecutionStatus != "ContinuedAsNew"`,
  );
}

/** Run ids of the workflows that a query finds. */
async function list(stage: Stage, query: string): Promise<string[]> {
  const connection = await Connection.connect({ address: stage.temporal.address });
  try {
    const found: string[] = [];
    for await (const { runId } of new Client({ connection }).workflow.list({ query })) found.push(runId);
    return found;
  } finally {
    await connection.close();
  }
}

/** What our own account wrote on an issue or a pull request. */
async function ours(stage: Stage, number: number): Promise<string[]> {
  const comments = await commentsOf(stage, number);
  return comments.filter(({ user }) => user?.login === "mergewright-demo").map(({ body }) => body);
}

/** What Git says in a fresh clone of the repository, as everybody can make one. */
async function inClone(stage: Stage, words: string[]): Promise<string> {
  const folder = await mkdtemp(join(stage.folder, "clone-"));
  const run = promisify(execFile);
  await run("git", ["clone", "-q", `${stage.github.url}/${stage.repository}.git`, folder]);
  return (await run("git", ["-C", folder, ...words])).stdout.trim();
}
