/** One stage for the rows of a file: the product as a process, with GitHub and Claude played, and what must hold after every row. */
import { Client, Connection, WorkflowNotFoundError } from "@temporalio/client";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { removeStage, setStage, type Stage, type StageOptions } from "../../demo/stage.ts";
import type { Effect } from "../../demo/github/ledger.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { commentsOf, ourEffects, type Surroundings, surroundings } from "../e2e/support.ts";
import { expectNothingLeft, expectNoSecretOut, overheard } from "./end-checks.ts";

export interface Standing {
  stage: Stage;
  client: Client;
  surroundings: Surroundings;
}

/** Sets the stage before the rows of a file and takes it down behind them. Throws where it is asked for too early. */
export function standingStage(
  options: Omit<StageOptions, "live" | "repositoryName" | "env"> & { env?: Record<string, string> },
  /** Texts that may be in no log. */
  secrets: readonly string[] = [],
): () => Standing {
  let standing: Standing | null = null;
  const get = (): Standing => {
    if (standing === null) throw new Error("The stage is not set yet.");
    return standing;
  };

  beforeAll(async () => {
    const around = surroundings();
    const env = { ...around.env, ...options.env };
    const stage = await setStage({ repositoryName: "little-duration", live: null, ...overheard, ...options, env });
    const connection = await Connection.connect({ address: stage.temporal.address });
    stage.secrets.push(...secrets);
    standing = { stage, client: new Client({ connection }), surroundings: around };
  }, 180_000);

  afterEach(async () => {
    const { stage } = get();
    expect(stage.product.process.exitCode).toBeNull();
    expect((await fetch(`${stage.url}/health`)).status).toBe(200);
  });

  afterAll(async () => {
    if (standing === null) return;
    const { stage, client, surroundings: around } = standing;
    await client.connection.close();
    try {
      expectNoSecretOut(stage);
    } finally {
      await stage.close();
    }
    // Also what runs hold that are still open: the worker takes it along when it stops.
    await expectNothingLeft(stage, around);
    await removeStage(stage);
  }, 60_000);
  return get;
}

/** Runs of a workflow id that Temporal knows: 0 when it was never started. */
export async function runsOf({ client }: Standing, workflowId: string): Promise<number> {
  let runs = 0;
  for await (const found of client.workflow.list({ query: `WorkflowId = "${workflowId}"` })) {
    if (found.workflowId === workflowId) runs += 1;
  }
  return runs;
}

/** What became of a delivery; null: no workflow took it in. */
export async function resultOfDelivery({ client }: Standing, guid: string): Promise<string | null> {
  try {
    return await client.workflow.getHandle(`delivery/${guid}`).result();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

export async function hasRun({ client, stage }: Standing, issue: number): Promise<boolean> {
  try {
    await client.workflow.getHandle(issueWorkflowId(stage.repository, issue)).describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

const PULLS = "/repos/{owner}/{repo}/pulls";
const MERGE = "/repos/{owner}/{repo}/pulls/{pull_number}/merge";

/** One branch, one pull request, one merge, one comment for each marker, and nothing paid twice. */
export async function expectDoneOnce({ stage }: Standing, issue: number): Promise<void> {
  const branch = `refs/heads/mergewright/issue-${issue}`;
  const pushes = await ourEffects(stage, "git push");
  expect(pushes.filter(({ facts }) => (facts as { ref?: string }).ref === branch)).toHaveLength(1);
  const pulls = await stage.github.people
    .as(stage.maintainer)
    .rest<{ number: number; head: { ref: string } }[]>(
      "GET",
      `/repos/${stage.repository}/pulls?state=all&per_page=100`,
    );
  const ours = pulls.filter(({ head }) => head.ref === `mergewright/issue-${issue}`);
  expect(ours).toHaveLength(1);
  const { number } = ours[0]!;
  const merges = await ourEffects(stage, MERGE);
  expect(merges.filter(({ path }) => path.includes(`/pulls/${number}/`))).toHaveLength(1);
  const comments = [...(await commentsOf(stage, issue)), ...(await commentsOf(stage, number))];
  const markers = comments.map(({ body }) => /<!-- mergewright:\S+ run=\S+ -->/.exec(body)?.[0]);
  expect(markers).not.toContain(undefined);
  expect(markers).toHaveLength(new Set(markers).size);
  expect(stage.model!.ledger.read().totals.paidTwice).toBe(0);
}

/** Pull requests that we opened, by all runs of the stage. */
export function pullsOpened(stage: Stage): Promise<Effect[]> {
  return ourEffects(stage, PULLS);
}
