/** What the rows about GitHub share: a repository of its own for each row on one stage, and the count of what was done there. */
import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect } from "vitest";
import type { RunView } from "../../api/run-view.ts";
import type { FaultOrder } from "../../demo/github/faults.ts";
import type { Effect, RequestRecord } from "../../demo/github/ledger.ts";
import type { Scenario } from "../../demo/model/scenario.ts";
import { removeStage, setStage, type Stage, type StageOptions } from "../../demo/stage.ts";
import { shortStory } from "../e2e/short-scenario.ts";
import { commentsOf, ended, reaches, signal, type Surroundings, surroundings } from "../e2e/support.ts";
import { expectNothingLeft, expectRowEnds, overheard } from "./end-checks.ts";

/** One issue in a repository that no other row touches. */
export interface Row {
  /** The stage, with this row's repository. */
  stage: Stage;
  repository: string;
  issue: number;
}

const FOLDER = fileURLToPath(new URL("../../demo/repositories/little-duration", import.meta.url));
const OURS = "mergewright-demo";

/**
 * One stage for the rows of a file, set before them and taken down behind them, when nothing may be left of any. `sandbox`: containers
 * where there is an engine, unless plain processes are asked for, which are quicker.
 */
export function rowsStage(
  sandbox: Surroundings["sandbox"] | undefined,
  options: Omit<StageOptions, "repositoryName" | "live" | "env">,
): () => Stage {
  let stage: Stage | null = null;
  let around: Surroundings;
  const get = (): Stage => {
    if (stage === null) throw new Error("The stage is not set yet.");
    return stage;
  };
  beforeAll(async () => {
    around = surroundings(sandbox);
    stage = await setStage({
      repositoryName: "little-duration",
      live: null,
      env: around.env,
      ...overheard,
      ...options,
    });
  }, 120_000);
  afterAll(async () => {
    if (stage === null) return;
    try {
      await expectNothingLeft(stage, around);
    } finally {
      await stage.close();
    }
    await removeStage(stage);
  }, 60_000);
  return get;
}

/** By this title the played Claude knows the row's story. */
export function titleOf(name: string): string {
  return `Row ${name}: shows "60s" where a minute is meant`;
}

export function rowStory(name: string, change: Partial<Scenario> = {}): Scenario {
  return { ...shortStory({ title: titleOf(name) }), ...change };
}

/** Makes the repository and its issue; `prepare` orders faults before the label starts the run. */
export async function startRow(
  on: Stage,
  name: string,
  prepare: (row: Row) => Promise<unknown> = async () => undefined,
): Promise<Row> {
  const { people } = on.github;
  const owner = on.repository.split("/")[0]!;
  const repository = `${owner}/row-${name.toLowerCase()}`;
  await people.addRepository({
    name: repository,
    folder: FOLDER,
    permissions: { [on.maintainer]: "maintain", [OURS]: "write", [on.author]: "read" },
    labels: ["bug", "mergewright"],
  });
  const stage = Object.create(on, { repository: { value: repository } }) as Stage;
  const { number } = await people.as(on.author).openIssue(repository, { title: titleOf(name), body: "59.7 s." });
  const row = { stage, repository, issue: number };
  await prepare(row);
  await people.as(on.maintainer).label(repository, number, "mergewright");
  return row;
}

/** A fault on the paths of this row's repository; `path` goes on after its name. */
export function fault(row: Row, order: Omit<FaultOrder, "path"> & { path: string }): Promise<{ id: number }> {
  return row.stage.github.people.fault({ ...order, path: `/${row.repository}${order.path}` });
}

/** How often a fault has struck. */
export async function struck(row: Row, { id }: { id: number }): Promise<number> {
  return (await row.stage.github.people.faults()).find((one) => one.id === id)!.struck;
}

/** Waits for the question which commit to merge. `not`: the head that was asked about before. */
export function asksApproval(row: Row, not?: string): Promise<RunView> {
  const { stage, issue } = row;
  const asks = (run: RunView): boolean => run.waitingFor?.kind === "approval" && run.pullRequest?.headSha !== not;
  return reaches(stage, issue, "its question", asks);
}

/** Waits for the question that says this. */
export function asks(row: Row, words: string): ReturnType<typeof asksApproval> {
  return reaches(row.stage, row.issue, words, ({ waitingFor }) =>
    Boolean(waitingFor?.kind === "approval" && waitingFor.detail?.includes(words)),
  );
}

export async function approve(row: Row, run: RunView): Promise<void> {
  const { stage, issue } = row;
  await signal(stage, issue, "approveMerge", { by: stage.maintainer, sha: run.pullRequest!.headSha });
}

/** Approves what is asked about, and sees the run merged with all that is outside done once. */
export async function approveAndMerge(row: Row, not?: string): Promise<RunView> {
  await approve(row, await asksApproval(row, not));
  return merged(row);
}

/** One pull request, one merge, one comment for each marker, the issue closed, and no reply paid twice. */
export async function merged(row: Row, pushes = 1): Promise<RunView> {
  const { stage, issue, repository } = row;
  const run = await ended(stage, issue);
  expect(run.outcome?.kind).toBe("merged");
  expect(await effects(row, "/repos/{owner}/{repo}/pulls")).toHaveLength(1);
  expect(await effects(row, "/repos/{owner}/{repo}/pulls/{pull_number}/merge")).toHaveLength(1);
  expect(await effects(row, "git push")).toHaveLength(pushes);
  await expectCommentsOnce(row, run);
  const { state } = await stage.github.people
    .as(stage.maintainer)
    .rest<{ state: string }>("GET", `/repos/${repository}/issues/${issue}`);
  expect(state).toBe("closed");
  expect(stage.model!.ledger.read().totals).toMatchObject({ paidTwice: 0 });
  await expectRowEnds(stage, issue);
  return run;
}

/** The run was ended by people, or could not go on: nothing is merged, and nothing left. */
export async function declined(row: Row): Promise<RunView> {
  const { stage, issue } = row;
  const run = await ended(stage, issue);
  expect(run.outcome?.kind).toBe("declined");
  expect(await effects(row, "/repos/{owner}/{repo}/pulls/{pull_number}/merge")).toEqual([]);
  await expectCommentsOnce(row, run);
  await expectRowEnds(stage, issue);
  return run;
}

export async function expectCommentsOnce({ stage, issue }: Row, run: RunView): Promise<void> {
  const numbers = [issue, ...(run.pullRequest ? [run.pullRequest.number] : [])];
  const comments = (await Promise.all(numbers.map((number) => commentsOf(stage, number)))).flat();
  const ours = comments.filter(({ user }) => user?.login.startsWith(OURS));
  const markers = ours.map(({ body }) => /<!-- mergewright:\S+ run=\S+ -->/.exec(body)?.[0]);
  expect(markers).not.toContain(undefined);
  expect(markers).toHaveLength(new Set(markers).size);
}

/** A commit of a person. */
export function pushTo(row: Row, branch: string, files: Record<string, string>): Promise<{ sha: string }> {
  return row.stage.github.people.push({ as: row.stage.maintainer, repository: row.repository, branch, files });
}

/** A file on the default branch, as Git gives it to everybody. */
export async function fileOn(row: Row, path: string): Promise<string> {
  const run = promisify(execFile);
  const folder = await mkdtemp(join(row.stage.folder, "clone-"));
  await run("git", ["clone", "-q", `${row.stage.github.url}/${row.repository}.git`, folder]);
  return (await run("git", ["-C", folder, "show", `main:${path}`])).stdout;
}

/** What our own account changed in this row's repository, by route. */
export async function effects(row: Row, route: string): Promise<Effect[]> {
  const all = await row.stage.github.people.ledger();
  return all.filter(
    (effect) => effect.actor?.startsWith(OURS) && effect.route === route && isOf(row.repository, effect.path),
  );
}

/** Requests to this row's repository, whatever became of them. */
export async function requests(row: Row, method: string, path: RegExp): Promise<RequestRecord[]> {
  const all = await row.stage.github.people.requests();
  return all.filter((one) => one.method === method && isOf(row.repository, one.path) && path.test(one.path));
}

function isOf(repository: string, path: string): boolean {
  return new RegExp(`/${repository}(?:\\.git)?(?:/|$)`).test(path);
}
