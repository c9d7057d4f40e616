/** Time travel: a run goes on from an earlier turn of another, beside it or in its place. About 70 s alone. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type Anthropic from "@anthropic-ai/sdk";
import { expect, it } from "vitest";
import type { RunView } from "../../api/run-view.ts";
import { bash, type PlayedRequest, type PlayedTurn, type Scenario } from "../../demo/model/scenario.ts";
import type { Stage } from "../../demo/stage.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { cli } from "../cli/run-cli.ts";
import { shortStory } from "./short-scenario.ts";
import { commentsOf, ended, onStage, reaches, signal, statusOf, surroundings, until } from "./support.ts";

const TITLE = 'Shows "60s" where a minute is meant';
const INSTRUCTION = "Say in the change log that it was tried twice.";
const TREE = "export GIT_INDEX_FILE=.git/looked; git add -A; git write-tree; rm .git/looked";

it("a fork goes on from a turn with its tree and its conversation, beside a run that it does not touch, or in its place", async () => {
  const { env } = surroundings("local");
  const asked: Anthropic.MessageParam[][] = [];
  await onStage({ env, scenarios: [story(asked)] }, async (stage) => {
    const { github, model, maintainer, author, repository } = stage;
    const { number } = await github.people.as(author).openIssue(repository, { title: TITLE, body: "59.7 s." });
    await github.people.as(maintainer).label(repository, number, "mergewright");
    const original = await waiting(stage, issueWorkflowId(repository, number));
    const taken = turnsOf(original);
    const comments = await commentsOf(stage, original.pullRequest!.number);

    const beyond = await mergewright(stage, ["fork", original.id, "--turn", String(taken + 1)]);
    expect(beyond.code).toBe(1);
    expect(beyond.document).toMatchObject({
      error: { code: "refused", message: expect.stringContaining(`Name one from 1 to ${taken}.`) as string },
    });
    expect((await mergewright(stage, ["fork", original.id, "--turn", "0"])).code).toBe(2);
    expect((await mergewright(stage, ["fork", original.id, "--turn", "1", "--role", "reviewer"])).code).toBe(2);
    expect((await mergewright(stage, ["fork", `${repository}#999`, "--turn", "1"])).code).toBe(1);

    const forked = await mergewright(stage, ["fork", original.id, "--turn", "2", "--instruct", INSTRUCTION]);
    const id = `${original.id}/fork/1`;
    const branch = `mergewright/issue-${number}-fork-1`;
    expect(forked).toEqual({ code: 0, document: { id, of: original.id, role: "coder", turn: 2, branch } });
    const fork = await waiting(stage, id);
    expect(fork).toMatchObject({ fork: { of: original.id, role: "coder", turn: 2 }, category: "bug", refused: [] });
    expect(turnsOf(fork)).toBe(taken);

    // What was said up to the turn is the same, and so was the tree when the tools of that turn ran.
    expect(asked).toHaveLength(2);
    const [first, second] = asked.map((messages) => messages.map(plainMessage)) as [Plain[], Plain[]];
    expect(first).toHaveLength(5);
    expect(second.slice(0, 4)).toEqual(first.slice(0, 4));
    const [before, after] = [first[4]!.blocks, second[4]!.blocks];
    expect(before[0]).toMatch(/[0-9a-f]{40}/);
    expect(after[0]).toBe(before[0]);
    expect(after.join()).toContain(INSTRUCTION);

    // Nothing that was paid for was asked for again, and the run that it came from is as it was.
    expect(askedFor(stage)).toEqual({ classifier: 1, planner: 2, coder: taken + (taken - 2), reviewer: 2 });
    // But for the place that the fork goes on from: its reply was asked for with the instruction.
    expect(model!.ledger.read().totals.paidTwice).toBe(1);
    expect(await statusOf(stage, original.id)).toEqual(original);
    const pull = await pullOf(stage, fork);
    expect(pull).toMatchObject({ head: { ref: branch }, state: "open" });
    expect(pull.body).toContain(`Refs #${number}`);

    // A comment on its pull request is for the fork. The issue stays open for the run that it started.
    await github.people.as(maintainer).comment(repository, fork.pullRequest!.number, "/mergewright approve");
    expect((await ended(stage, id)).outcome?.kind).toBe("merged");
    expect(await statusOf(stage, original.id)).toEqual(original);
    expect(await commentsOf(stage, original.pullRequest!.number)).toEqual(comments);
    expect(await pullOf(stage, original)).toMatchObject({
      state: "open",
      head: { sha: original.pullRequest!.headSha },
    });

    const replacing = ["fork", original.id, "--turn", "1", "--replace", "--by", maintainer];
    expect(await mergewright(stage, replacing)).toMatchObject({ code: 0, document: { id: `${original.id}/fork/2` } });
    const replacement = await waiting(stage, `${original.id}/fork/2`);
    const replaced = await ended(stage, original.id);
    expect(replaced.outcome).toEqual({
      kind: "declined",
      reason: `rejected by @${maintainer}: replaced by #${replacement.pullRequest!.number}, which goes on from turn 1 of its coder`,
    });
    expect(await pullOf(stage, original)).toMatchObject({ state: "closed" });
    expect((await pullOf(stage, replacement)).body).toContain(`Closes #${number}`);
    expect((await mergewright(stage, ["reject", replacement.id, "--by", maintainer])).code).toBe(0);
    await ended(stage, replacement.id);

    // Of a fork, too, and of one that has ended.
    expect(await mergewright(stage, ["fork", id, "--turn", "3"])).toMatchObject({
      code: 0,
      document: { id: `${original.id}/fork/3`, of: id },
    });
    expect(await waiting(stage, `${original.id}/fork/3`)).toMatchObject({ fork: { of: id, turn: 3 } });
  });
}, 400_000);

it("a run at work can be gone on from, and what others pushed is in a fork of a turn after it, and in none before", async () => {
  const { env } = surroundings("local");
  // The first command ends when this file is there; sandboxes in plain processes see it.
  const go = join(tmpdir(), `mergewright-fork-${randomUUID()}`);
  const waits = bash(`for _ in $(seq 500); do [ -e ${go} ] && break; sleep 0.1; done`);
  const scenario = shortStory({ title: TITLE, before: [{ text: "I wait.", uses: [waits] }] });
  await onStage({ env, scenarios: [scenario] }, async (stage) => {
    const { github, maintainer, author, repository } = stage;
    const { number } = await github.people.as(author).openIssue(repository, { title: TITLE, body: "59.7 s." });
    const id = issueWorkflowId(repository, number);
    await github.people.as(maintainer).label(repository, number, "mergewright");
    await until("the coder's first command runs", async () => askedFor(stage)["coder"] === 1);

    const early = await until("the first turn is done", async () => {
      const forked = await mergewright(stage, ["fork", id, "--turn", "1"]);
      return forked.code === 0 && forked;
    });
    expect(early.document).toMatchObject({ id: `${id}/fork/1` });
    expect(await mergewright(stage, ["fork", id, "--turn", "2"])).toMatchObject({
      code: 1,
      document: { error: { message: expect.stringContaining("it has taken 1.") as string } },
    });
    await writeFile(go, "");
    const planned = await mergewright(stage, ["fork", id, "--turn", "1", "--role", "planner"]);
    expect(planned).toMatchObject({ code: 0, document: { id: `${id}/fork/2`, role: "planner" } });

    const original = await waiting(stage, id);
    await waiting(stage, `${id}/fork/1`);
    expect(await waiting(stage, `${id}/fork/2`)).toMatchObject({ plan: original.plan });
    const first = turnsOf(original);

    const branch = `mergewright/issue-${number}`;
    await github.people.push({ as: maintainer, repository, branch, files: { "NOTES.md": "By hand.\n" } });
    await reaches(stage, id, "their commit is taken in", (run) => {
      return run.waitingFor?.kind === "approval" && run.pullRequest!.headSha !== original.pullRequest!.headSha;
    });
    await signal(stage, number, "requestChanges", { by: maintainer, text: "A line in the change log, please." });
    await reaches(stage, id, "the second round", (run) => run.waitingFor?.kind === "approval" && turnsOf(run) > first);

    for (const turn of [first, first + 1]) await mergewright(stage, ["fork", id, "--turn", String(turn)]);
    const [before, after] = [await waiting(stage, `${id}/fork/3`), await waiting(stage, `${id}/fork/4`)];
    expect(await filesOf(stage, before)).toEqual(["src/format.js", "test/format.test.js"]);
    expect(await filesOf(stage, after)).toEqual(["CHANGELOG.md", "NOTES.md", "src/format.js", "test/format.test.js"]);

    // What others did stays theirs.
    expect(await authorsOf(stage, after, "NOTES.md")).toEqual([maintainer]);
    expect(await authorsOf(stage, after, "CHANGELOG.md")).toEqual(["mergewright-demo"]);

    for (const run of [id, ...[1, 2, 3, 4].map((fork) => `${id}/fork/${fork}`)])
      expect((await mergewright(stage, ["reject", run, "--by", maintainer])).code).toBe(0);
    expect((await ended(stage, id)).outcome?.kind).toBe("declined");
    // As retention leaves it.
    const runs = join(stage.home, "artifacts", "runs");
    for (const key of await readdir(runs)) await rm(join(runs, key), { recursive: true });
    await rm(go);
    expect(await mergewright(stage, ["fork", id, "--turn", "1"])).toMatchObject({
      code: 1,
      document: { error: { code: "refused", message: expect.stringContaining("retention.artifacts_days") as string } },
    });
  });
}, 400_000);

/** The third turn of the coder is where the two go different ways. */
function story(asked: Anthropic.MessageParam[][]): Scenario {
  const third = ({ messages }: PlayedRequest): PlayedTurn => {
    const text = JSON.stringify(messages);
    if (!asked.some((each) => JSON.stringify(each) === text)) asked.push([...messages]);
    const forked = text.includes(INSTRUCTION);
    return { text: "I tidy up.", uses: [bash(forked ? "rm one.txt; echo twice > TRIED.md" : "rm one.txt")] };
  };
  return shortStory({
    title: TITLE,
    before: [
      { text: "A note.", uses: [bash("echo one > one.txt")] },
      { text: "What is there?", uses: [bash(TREE)] },
      third,
    ],
  });
}

interface Plain {
  role: string;
  blocks: string[];
}

/** Without the marks of Claude's cache, which move on with the conversation. */
function plainMessage({ role, content }: Anthropic.MessageParam): Plain {
  const blocks = typeof content === "string" ? [content] : content;
  return {
    role,
    blocks: blocks.map((block) =>
      JSON.stringify(block, (key, value: unknown) => (key === "cache_control" ? undefined : value)),
    ),
  };
}

function waiting(stage: Stage, id: string): Promise<RunView> {
  return reaches(stage, id, "awaiting-approval", (run) => run.waitingFor?.kind === "approval");
}

function turnsOf(run: RunView): number {
  return run.agents.find(({ role }) => role === "coder")!.turns;
}

function askedFor(stage: Stage): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { role } of stage.model!.ledger.read().entries) counts[role!] = (counts[role!] ?? 0) + 1;
  return counts;
}

function pullOf(
  stage: Stage,
  run: RunView,
): Promise<{ state: string; body: string; head: { ref: string; sha: string } }> {
  return stage.github.people
    .as(stage.maintainer)
    .rest("GET", `/repos/${stage.repository}/pulls/${run.pullRequest!.number}`);
}

/** What the pull request changes, as Git tells it of the branch. */
async function filesOf(stage: Stage, run: RunView): Promise<string[]> {
  return gitLines(stage, run, ["diff", "--name-only", `origin/main...${run.pullRequest!.headSha}`]);
}

/** Who changed a file on the branch. */
async function authorsOf(stage: Stage, run: RunView, path: string): Promise<string[]> {
  const range = `origin/main..${run.pullRequest!.headSha}`;
  return gitLines(stage, run, ["log", "--no-merges", "--format=%an", range, "--", path]);
}

async function gitLines(stage: Stage, run: RunView, words: string[]): Promise<string[]> {
  const git = promisify(execFile);
  const clone = join(stage.folder, `clone-${run.pullRequest!.number}`);
  await git("git", ["clone", "-q", "--no-checkout", `${stage.github.url}/${stage.repository}.git`, clone]);
  const { stdout } = await git("git", ["-C", clone, ...words]);
  await rm(clone, { recursive: true });
  return [...new Set(stdout.trim().split("\n").filter(Boolean))].toSorted();
}

async function mergewright(stage: Stage, words: string[]): Promise<{ code: number | null; document: unknown }> {
  const env = { MERGEWRIGHT_HOME: stage.home, GITHUB_API_URL: stage.github.apiUrl };
  const { code, out } = await cli([...words, "--json"], { cwd: stage.folder, env });
  return { code, document: JSON.parse(out) };
}
