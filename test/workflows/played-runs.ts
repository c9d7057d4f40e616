/** Runs on a real Temporal server, each on a worker of its own, with everything outside played. Ends with the tests of the file. */
import { randomUUID } from "node:crypto";
import { Client, Connection, type WorkflowHandle } from "@temporalio/client";
import { afterAll, beforeAll } from "vitest";
import { issueWorkflowId } from "../../domain/ids.ts";
import type { Phase, RunStatus } from "../../domain/run.ts";
import { RepositorySettings } from "../../domain/settings.ts";
import { RESOLVE_ISSUE, type ResolveIssueInput, statusQuery } from "../../workflows/messages.ts";
import { runWorker, temporalAddress, type TestWorkerOptions } from "../support/temporal.ts";
import { startTemporalServer } from "../support/temporal-server.ts";
import { type Played, playActivities } from "./played-activities.ts";

export interface PlayedRun {
  played: Played;
  run: WorkflowHandle;
  status: () => Promise<RunStatus>;
}

export interface PlayedRuns {
  client(): Client;
  start(
    settings?: Record<string, unknown>,
    prepare?: (played: Played) => void,
    worker?: Pick<TestWorkerOptions, "sandboxesAfterMs">,
  ): Promise<PlayedRun>;
}

/** `server`: one of its own, with this dynamic configuration, as `KEY=VALUE`; else the one of all tests. */
export function playedRuns(server: readonly string[] | null = null): PlayedRuns {
  let client: Client;
  let address: string;
  const stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    if (server === null) address = temporalAddress();
    else {
      const own = await startTemporalServer(server);
      address = own.address;
      stops.push(own.stop);
    }
    client = new Client({ connection: await Connection.connect({ address }) });
    stops.push(() => client.connection.close());
  });
  afterAll(async () => {
    for (const stop of stops.toReversed()) await stop();
  });
  return {
    client: () => client,
    async start(settings = {}, prepare = () => undefined, options = {}) {
      const played = playActivities();
      prepare(played);
      const worker = await runWorker({ ...options, address, activities: { ...played.activities } });
      stops.push(worker.stop);
      const repository = `o/r-${randomUUID().slice(0, 8)}`;
      const workflowId = issueWorkflowId(repository, 1);
      await client.workflow.start(RESOLVE_ISSUE, {
        workflowId,
        taskQueue: worker.taskQueue,
        args: [runInput(repository, settings)],
      });
      // Of whatever execution is the newest: a run may go on with a new history.
      const run = client.workflow.getHandle(workflowId);
      return { played, run, status: () => run.query(statusQuery) };
    },
  };
}

export function runInput(repository: string, settings: Record<string, unknown> = {}): ResolveIssueInput {
  return {
    repository,
    issue: 1,
    snapshot: null,
    trigger: { kind: "labeled", by: "mara", at: new Date().toISOString(), commentId: null },
    settings: { ...RepositorySettings.parse(settings), prices: {} },
    links: { page: null, webUi: null },
  };
}

export async function reaches(
  status: () => Promise<RunStatus>,
  test: Phase | ((status: RunStatus) => boolean),
): Promise<RunStatus> {
  const met = typeof test === "string" ? (now: RunStatus) => now.phase === test : test;
  let last: RunStatus | undefined;
  for (let tries = 0; tries < 400; tries += 1) {
    last = await status();
    if (met(last)) return last;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never came: ${String(test)}. Last: ${JSON.stringify(last)}`);
}

export const phasesOf = (status: RunStatus): Phase[] => status.phases.map(({ phase }) => phase);
