/** New versions of the program under runs that wait for a person. About 60 s alone. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client, Connection } from "@temporalio/client";
import { expect, it } from "vitest";
import type { RunView } from "../../api/run-view.ts";
import type { Scenario } from "../../demo/model/scenario.ts";
import type { Stage } from "../../demo/stage.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { commentsOf, ended, onStage, ourEffects, reaches, statusOf, surroundings, until } from "../e2e/support.ts";
import { shortStory } from "../e2e/short-scenario.ts";
import { changedBuild, type Edit } from "../support/changed-build.ts";
import { patchesIn } from "../support/patches.ts";

const TITLES = ["The old one", "The new one"] as const;
const AT_THE_START = 'run.enter("classifying");';
const BEFORE_THE_MERGE = 'run.enter("merging");';

it("E10: a changed build takes over a run that waits for approval, and it and a new run are merged", async () => {
  await onStage({ env: surroundings("local").env, scenarios: TITLES.map(story) }, async (stage) => {
    const old = await startedRun(stage, TITLES[0]);
    const breath = (id: string): string => `if (patched("${id}")) await sleep(1_000);`;
    const program = await build(stage, [
      ...importing("resolve-issue.ts", "patched, sleep"),
      { file: "workflows/resolve-issue.ts", from: AT_THE_START, to: `${AT_THE_START} ${breath("breath-at-start")}` },
      ...importing("merge.ts", "patched, sleep"),
      {
        file: "workflows/merge.ts",
        from: BEFORE_THE_MERGE,
        to: `${BEFORE_THE_MERGE} ${breath("breath-before-merge")}`,
      },
    ]);
    await stage.restart({}, program);
    expect(await until("its status", () => statusOf(stage, old.id))).toEqual(old);
    expect(await mergewright(stage, program, ["replay", old.id])).toMatchObject({ code: 0, document: { fits: true } });

    const fresh = await startedRun(stage, TITLES[1]);
    for (const run of [old, fresh]) {
      await approve(stage, run);
      expect((await ended(stage, run.id)).outcome?.kind).toBe("merged");
    }
    // Of an ended run all is tried, its agents too.
    const all = await mergewright(stage, program, ["replay", fresh.id]);
    expect(all).toMatchObject({ code: 0, document: { fits: true } });
    expect((all.document as { workflows: unknown[] }).workflows).toHaveLength(5);
    expect(await mergewright(stage, program, ["replay"])).toEqual({
      code: 0,
      document: { id: null, fits: true, workflows: [] },
    });
    expect(await patchesOf(stage, old.id)).toEqual(["breath-before-merge"]);
    expect(await patchesOf(stage, fresh.id)).toEqual(["breath-at-start", "breath-before-merge"]);
    await expectDoneOnce(stage, 2);
  });
}, 400_000);

it("E10: a build that a waiting run does not fit is told of everywhere, and the version before finishes the run", async () => {
  // Histories that say nothing to others, and have most of it elsewhere.
  const key = { MERGEWRIGHT_PAYLOAD_KEY: randomBytes(32).toString("base64") };
  const env = { ...surroundings("local").env, ...key };
  const settings = "storage: { inline_bytes: 1024 }\n";
  await onStage({ env, settings, scenarios: TITLES.map(story) }, async (stage) => {
    const run = await startedRun(stage, TITLES[0]);
    expect(await mergewright(stage, here, ["replay", run.id], key)).toMatchObject({
      code: 0,
      document: { id: run.id, fits: true, workflows: [{ workflowId: run.id, open: true, fits: true, reason: null }] },
    });
    expect(await mergewright(stage, here, ["replay", run.id])).toMatchObject({
      code: 1,
      document: {
        fits: false,
        workflows: [{ fits: null, reason: expect.stringContaining("MERGEWRIGHT_PAYLOAD_KEY") as string }],
      },
    });
    expect(await mergewright(stage, here, ["replay", `${stage.repository}#999`], key)).toMatchObject({
      code: 1,
      document: { error: { code: "not-found", message: expect.stringContaining("There is no run") as string } },
    });
    expect((await mergewright(stage, here, ["replay", "nonsense"], key)).code).toBe(2);
    const program = await build(stage, [
      ...importing("resolve-issue.ts", "sleep"),
      { file: "workflows/resolve-issue.ts", from: AT_THE_START, to: `${AT_THE_START} await sleep(1_000);` },
    ]);
    // Whoever asks before the upgrade knows before it.
    const asked = await mergewright(stage, program, ["replay"], key);
    expect(asked).toEqual({
      code: 1,
      document: {
        id: null,
        fits: false,
        workflows: [
          {
            workflowId: run.id,
            runId: run.execution.runId,
            open: true,
            fits: false,
            reason: expect.stringMatching(/^\[TMPRL1100\] Nondeterminism error: .*ActivityTaskScheduled\)$/) as string,
          },
        ],
      },
    });
    expect((await mergewright(stage, program, ["doctor"], key)).document).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({
          name: "Runs under way",
          state: "warn",
          what: expect.stringContaining(run.id) as string,
        }),
      ]) as object[],
    });

    await stage.restart({}, program);
    const unfit = expect.stringMatching(/does not fit .*TMPRL1100.* start the version again/s) as string;
    // Whether it is only asked, or has heard something and tries to go on.
    expect(await viewOf(stage, run.id)).toMatchObject({ phase: "awaiting-approval", incomplete: unfit });
    await approve(stage, run);
    await until("the log tells", async () =>
      /"level":"error".*a run does not fit/.test(await readFile(stage.logFile, "utf8")),
    );
    expect(await viewOf(stage, run.id)).toMatchObject({ phase: "awaiting-approval", incomplete: unfit });
    expect(await mergewright(stage, program, ["pause", run.id, "--by", stage.maintainer], key)).toMatchObject({
      code: 1,
      document: { error: { code: "no-answer", message: unfit } },
    });

    await stage.restart();
    expect((await ended(stage, run.id)).outcome?.kind).toBe("merged");
    await expectDoneOnce(stage, 1);
  });
}, 400_000);

const here = fileURLToPath(new URL("../../bin/mergewright.mjs", import.meta.url));

function story(title: string): Scenario {
  return shortStory({ title });
}

function importing(file: string, names: string): Edit[] {
  const from = 'from "@temporalio/workflow";';
  return [{ file: `workflows/${file}`, from, to: `${from}\nimport { ${names} } ${from}` }];
}

async function build(stage: Stage, edits: readonly Edit[]): Promise<string> {
  return changedBuild(await mkdtemp(join(stage.folder, "build-")), edits);
}

async function startedRun(stage: Stage, title: string): Promise<RunView> {
  const { github, maintainer, author, repository } = stage;
  const { number } = await github.people.as(author).openIssue(repository, { title, body: "59.7 s." });
  await github.people.as(maintainer).label(repository, number, "mergewright");
  const id = issueWorkflowId(repository, number);
  return reaches(stage, id, "approval", (run) => run.waitingFor?.kind === "approval");
}

function approve(stage: Stage, { issue }: RunView): Promise<unknown> {
  return stage.github.people.as(stage.maintainer).comment(stage.repository, issue, "/mergewright approve");
}

/** Also where the run itself does not answer. */
async function viewOf(stage: Stage, id: string): Promise<unknown> {
  return (await fetch(`${stage.url}/api/tasks/${encodeURIComponent(id)}`)).json();
}

/** Of the changed build: versions of ours leave some, too. */
async function patchesOf(stage: Stage, id: string): Promise<string[]> {
  const connection = await Connection.connect({ address: stage.temporal.address });
  const client = new Client({ connection });
  const patches = patchesIn(await client.workflow.getHandle(id).fetchHistory());
  await connection.close();
  return patches.filter((patch) => patch.startsWith("breath-"));
}

async function expectDoneOnce(stage: Stage, runs: number): Promise<void> {
  expect(await ourEffects(stage, "/repos/{owner}/{repo}/pulls")).toHaveLength(runs);
  expect(await ourEffects(stage, "/repos/{owner}/{repo}/pulls/{pull_number}/merge")).toHaveLength(runs);
  expect(stage.model!.ledger.read().totals.paidTwice).toBe(0);
  const comments = await commentsOf(stage, 1);
  const markers = comments.map(({ body }) => /<!-- mergewright:\S+ run=\S+ -->/.exec(body)?.[0]).filter(Boolean);
  expect(markers).toHaveLength(new Set(markers).size);
}

/** The command line of a version, in the surroundings of the stage. */
async function mergewright(
  stage: Stage,
  program: string,
  words: string[],
  more: Record<string, string> = {},
): Promise<{ code: number; document: unknown }> {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, MERGEWRIGHT_HOME: stage.home, GITHUB_API_URL: stage.github.apiUrl, ...more };
  const options = { cwd: stage.folder, env, timeout: 60_000 };
  const run = promisify(execFile)(process.execPath, [program, ...words, "--json"], options);
  const { code, stdout } = await run.then(
    (done) => ({ code: 0, stdout: done.stdout }),
    (error: { code: number; stdout: string }) => error,
  );
  return { code, document: JSON.parse(stdout) };
}
