/** One issue on a cluster: how it is started, watched and approved. What is down at the moment is asked again. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { RunStatus } from "../../../domain/run.ts";
import { issueWorkflowId } from "../../../domain/ids.ts";
import { BOT, type Cluster, MAINTAINER, OWNER } from "./cluster.ts";
import { QUICK } from "./scenario.ts";

export interface CrashRun {
  /** Of the test: unique on its cluster. */
  name: string;
  repository: string;
  issue: number;
  workflowId: string;
  startedAt: number;
  /** Folders in the artifact store that other runs had made before. */
  earlier: readonly string[];
}

const source = fileURLToPath(new URL("../../../demo/repositories/little-duration", import.meta.url));

/** A repository of its own with one issue, not yet triggered. */
export async function openIssue(
  { people, artifacts }: Cluster,
  name: string,
  { title = QUICK, body = "59.7 s.", folder = source }: { title?: string; body?: string; folder?: string } = {},
): Promise<CrashRun> {
  const repository = `${OWNER}/${name}`;
  await people.addRepository({
    name: repository,
    folder,
    labels: ["bug", "mergewright"],
    permissions: { [MAINTAINER]: "maintain", [BOT]: "write" },
  });
  const { number } = await people.as(MAINTAINER).openIssue(repository, { title: `${name}: ${title}`, body });
  const workflowId = issueWorkflowId(repository, number);
  return { name, repository, issue: number, workflowId, startedAt: Date.now(), earlier: runFolders(artifacts) };
}

/** By run key. */
export function runFolders(artifacts: string): string[] {
  const runs = join(artifacts, "runs");
  return existsSync(runs) ? readdirSync(runs) : [];
}

/** Adds the label that starts it. */
export async function trigger({ people }: Cluster, run: CrashRun): Promise<void> {
  run.startedAt = Date.now();
  await people.as(MAINTAINER).label(run.repository, run.issue, "mergewright");
}

/** null: it cannot be asked now. */
export async function statusOf({ client }: Cluster, run: CrashRun): Promise<RunStatus | null> {
  try {
    const asked = client.withDeadline(Date.now() + 3_000, () =>
      client.workflow.getHandle(run.workflowId).query<RunStatus>("status"),
    );
    return await asked;
  } catch {
    return null;
  }
}

export interface Ended {
  status: RunStatus;
  durationMs: number;
}

/** Does what people do in the meantime, until the run has ended: lost deliveries are sent again, what is ready is approved. */
export async function finish(cluster: Cluster, run: CrashRun, timeoutMs = 150_000): Promise<Ended> {
  const deadline = Date.now() + timeoutMs;
  let last: RunStatus | null = null;
  for (;;) {
    const status = await statusOf(cluster, run);
    last = status ?? last;
    if (status?.outcome && (await isClosed(cluster, run))) {
      return { status, durationMs: Date.now() - run.startedAt };
    }
    if (status?.waitingFor?.kind === "operator") throw new Error(`${run.name} waits for an operator: ${told(status)}`);
    if (status?.waitingFor?.kind === "approval") await approve(cluster, run, status);
    else if (status === null) await redeliverLost(cluster, run);
    if (Date.now() > deadline) throw new Error(`${run.name} did not end in ${timeoutMs / 1000} s: ${told(last)}`);
    await sleep(200);
  }
}

export async function reaches(
  cluster: Cluster,
  run: CrashRun,
  what: string,
  fits: (status: RunStatus) => boolean,
  timeoutMs = 90_000,
): Promise<RunStatus> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const status = await statusOf(cluster, run);
    if (status && fits(status)) return status;
    if (status?.outcome || Date.now() > deadline)
      throw new Error(`${run.name} did not come to "${what}": ${told(status)}`);
    await sleep(100);
  }
}

/** The update answers with a refusal; one that gets no answer is sent again with the next look. */
export async function approve({ client }: Cluster, run: CrashRun, status: RunStatus): Promise<void> {
  const message = { by: MAINTAINER, sha: status.pullRequest!.headSha };
  await client
    .withDeadline(Date.now() + 5_000, () =>
      client.workflow.getHandle(run.workflowId).executeUpdate("approveMerge", { args: [message] }),
    )
    .catch(() => undefined);
}

async function isClosed({ client }: Cluster, run: CrashRun): Promise<boolean> {
  const { closeTime } = await client.workflow.getHandle(run.workflowId).describe();
  return closeTime !== undefined;
}

/** As a person does with GitHub's button "Redeliver": GitHub itself never sends one again. */
async function redeliverLost({ people }: Cluster, run: CrashRun): Promise<void> {
  const lost = (await people.deliveries().catch(() => [])).filter(
    ({ payload, attempts }) =>
      payload.includes(`"${run.repository}"`) &&
      attempts.length > 0 &&
      !attempts.some(({ status }) => status !== null && status < 300),
  );
  for (const { guid } of lost) await people.redeliver(guid).catch(() => undefined);
}

function told(status: RunStatus | null): string {
  if (!status) return "nothing is known of it";
  const { phase, waitingFor, outcome, refused } = status;
  return JSON.stringify({ phase, waitingFor, outcome, refused });
}
