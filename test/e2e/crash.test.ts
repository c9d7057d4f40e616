/**
 * kill -9 of the product, with its embedded Temporal server, again and again in one run; every time it is started again and the run
 * goes on. About a minute alone: a call that died with its worker is noticed after 4 s.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { bash, type PlayedRequest, type PlayedTurn, type Scenario } from "../../demo/model/scenario.ts";
import type { Stage } from "../../demo/stage.ts";
import { commentsOf, ended, onStage, ourEffects, reaches, signal, statusOf, surroundings, until } from "./support.ts";
import { shortStory } from "./short-scenario.ts";

const TITLE = 'Shows "60s" where a minute is meant';
const HOLD_MS = 8_000;

it("a run that is killed at seven moments ends merged, with everything outside done once and no reply paid twice", async () => {
  const { env, containers } = surroundings();
  const said: string[] = [];
  await onStage({ env, scenarios: [story(said)] }, async (stage) => {
    const { github, model, maintainer, author, repository } = stage;
    model!.faults.add({ kind: "stall", role: "classifier", ms: 600_000, pings: true });
    await github.people.fault({ method: "POST", path: "/pulls$", when: "after", delayMs: HOLD_MS });
    await github.people.fault({ method: "PUT", path: "/merge$", when: "after", delayMs: HOLD_MS });
    const { number } = await github.people.as(author).openIssue(repository, { title: TITLE, body: "59.7 s." });
    await github.people.as(maintainer).label(repository, number, "mergewright");

    await until("the classifier is asked", async () => asked(stage, "classifier") > 0);
    await stage.restart();

    // The command writes down that it runs, then takes its time: the kill comes in the middle of it.
    await until("the coder's first command runs", async () => answered(stage, "coder") === 1);
    await sleep(1_500);
    await stage.restart();

    await reaches(stage, number, "verifying", (run) => run.phase === "verifying");
    await sleep(300);
    await stage.restart();

    await until(
      "the pull request is there, and nobody was told yet",
      async () => (await ourEffects(stage, PULLS)).length > 0,
    );
    await stage.restart();

    const waiting = await reaches(stage, number, "awaiting-approval", (run) => run.waitingFor?.kind === "approval");
    await stage.restart();
    // What people see is the same after it.
    expect(await until("its status", () => statusOf(stage, number))).toEqual(waiting);

    await signal(stage, number, "approveMerge", { by: maintainer, sha: waiting.pullRequest!.headSha });
    await stage.restart();

    await until("the merge is done, and nobody was told yet", async () => (await ourEffects(stage, MERGE)).length > 0);
    await stage.restart();

    const run = await ended(stage, number);
    expect(run.outcome?.kind).toBe("merged");
    expect(run.evidence).toMatchObject({ failsOnBase: true, passesOnBranch: true });
    expect(run.refused).toEqual([]);
    // The command that was under way at the kill was found again, not run again.
    expect(said).toEqual(expect.arrayContaining([expect.stringContaining("started once")]));
    expect(said.join()).not.toContain("started again");
    await expectDoneOnce(stage, number);
    expect(await containers()).toEqual([]);
  });
}, 400_000);

const PULLS = "/repos/{owner}/{repo}/pulls";
const MERGE = "/repos/{owner}/{repo}/pulls/{pull_number}/merge";

/** The coder begins with a command of some seconds, which tells whether it had been started before. */
function story(said: string[]): Scenario {
  const command = "if [ -e .git/ran ]; then echo started again; else touch .git/ran; echo started once; fi; sleep 4";
  const listening = (request: PlayedRequest): PlayedTurn => {
    said.push(request.lastResult);
    return { text: "I look what is there.", uses: [bash("git status --short")] };
  };
  return shortStory({ title: TITLE, before: [{ text: "I try it.", uses: [bash(command)] }, listening] });
}

async function expectDoneOnce(stage: Stage, issue: number): Promise<void> {
  const { people } = stage.github;
  expect(await ourEffects(stage, PULLS)).toHaveLength(1);
  expect(await ourEffects(stage, MERGE)).toHaveLength(1);
  const pushes = (await ourEffects(stage, "git push")).map((effect) => effect.facts);
  expect(pushes).toEqual([expect.objectContaining({ ref: `refs/heads/mergewright/issue-${issue}` })]);
  const pulls = await people
    .as(stage.maintainer)
    .rest<{ number: number }[]>("GET", `/repos/${stage.repository}/pulls?state=all`);
  expect(pulls).toHaveLength(1);
  const comments = [...(await commentsOf(stage, issue)), ...(await commentsOf(stage, pulls[0]!.number))];
  const markers = comments.map(({ body }) => /<!-- mergewright:\S+ run=\S+ -->/.exec(body)?.[0]);
  expect(markers).not.toContain(undefined);
  expect(markers).toHaveLength(new Set(markers).size);
  const { state } = await people
    .as(stage.maintainer)
    .rest<{ state: string }>("GET", `/repos/${stage.repository}/issues/${issue}`);
  expect(state).toBe("closed");
  expect(stage.model!.ledger.read().totals).toMatchObject({ paidTwice: 0 });
}

function asked(stage: Stage, role: string): number {
  return stage.model!.ledger.read().entries.filter((entry) => entry.role === role).length;
}

function answered(stage: Stage, role: string): number {
  return stage.model!.ledger.read().entries.filter((entry) => entry.role === role && entry.delivered).length;
}
