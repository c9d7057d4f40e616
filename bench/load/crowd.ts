/** Issues of the load: opened, labelled all at once, and followed to their ends. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "@temporalio/client";
import type { RunView } from "../../api/run-view.ts";
import type { Stage } from "../../demo/stage.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { loadRepository } from "./repository.ts";
import { titleOf } from "./scenario.ts";

export interface LoadIssue {
  repository: string;
  number: number;
  /** Milliseconds since 1970, when its label was given. */
  labelledAt: number;
}

/** The account of the product on the stage. */
export const BOT = "mergewright-demo";

export async function addRepository(stage: Stage, name: string): Promise<string> {
  const repository = `${stage.repository.split("/")[0]!}/${name}`;
  const permissions = { [stage.maintainer]: "maintain", [BOT]: "write" } as const;
  await stage.github.people.addRepository({
    name: repository,
    files: loadRepository,
    labels: ["mergewright"],
    permissions,
  });
  return repository;
}

export async function openIssues(stage: Stage, repository: string, count: number): Promise<LoadIssue[]> {
  const issues: LoadIssue[] = [];
  for (let part = 1; part <= count; part++) {
    const { number } = await stage.github.people.as(stage.maintainer).openIssue(repository, { title: titleOf(part) });
    issues.push({ repository, number, labelledAt: Number.NaN });
  }
  return issues;
}

export async function label(stage: Stage, issue: LoadIssue): Promise<void> {
  issue.labelledAt = Date.now();
  await stage.github.people.as(stage.maintainer).label(issue.repository, issue.number, "mergewright");
}

/** Milliseconds from the label of each to the end of its run. Throws when one does not end. */
export async function durations(
  client: Client,
  issues: readonly LoadIssue[],
  { timeoutMs, progress }: { timeoutMs: number; progress: (ended: number) => void },
): Promise<Map<LoadIssue, number>> {
  const deadline = Date.now() + timeoutMs;
  const open = new Set(issues);
  const took = new Map<LoadIssue, number>();
  for (;;) {
    const query =
      "WorkflowType = 'resolveIssue' AND ExecutionStatus != 'Running' AND ExecutionStatus != 'ContinuedAsNew'";
    const ends = new Map<string, number>();
    for await (const { workflowId, closeTime } of client.workflow.list({ query }))
      ends.set(workflowId, closeTime!.getTime());
    for (const issue of open) {
      const end = ends.get(issueWorkflowId(issue.repository as `${string}/${string}`, issue.number));
      if (end === undefined) continue;
      took.set(issue, end - issue.labelledAt);
      open.delete(issue);
    }
    progress(took.size);
    if (open.size === 0) return took;
    if (Date.now() > deadline) {
      const [first] = open;
      throw new Error(
        `${open.size} of ${issues.length} issues have not ended, such as ${first!.repository}#${first!.number}.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** What is not as it must be outside: every issue closed by one merged pull request, and no reply paid twice. */
export async function wrongOutside(stage: Stage, issues: readonly LoadIssue[]): Promise<string[]> {
  const wrong: string[] = [];
  const mara = stage.github.people.as(stage.maintainer);
  for (const repository of new Set(issues.map((issue) => issue.repository))) {
    const pulls: { number: number; merged_at: string | null; head: { ref: string } }[] = [];
    for (let page = 1; ; page++) {
      const more = await mara.rest<typeof pulls>(
        "GET",
        `/repos/${repository}/pulls?state=all&per_page=100&page=${page}`,
      );
      pulls.push(...more);
      if (more.length < 100) break;
    }
    for (const { number } of issues.filter((issue) => issue.repository === repository)) {
      const ours = pulls.filter(({ head }) => head.ref === `mergewright/issue-${number}`);
      const merged = ours.filter(({ merged_at }) => merged_at !== null);
      if (ours.length !== 1 || merged.length !== 1)
        wrong.push(`${repository}#${number}: ${ours.length} pull requests, ${merged.length} merged`);
    }
  }
  const { paidTwice } = stage.model!.ledger.read().totals;
  if (paidTwice > 0) wrong.push(`${paidTwice} replies were paid twice`);
  return wrong;
}

/** Runs whose sandboxes moved to another worker, or back: what a heartbeat that came late costs. */
export async function movesOf(stage: Stage, issues: readonly LoadIssue[]): Promise<number> {
  let moves = 0;
  for (const { repository, number } of issues) {
    const id = encodeURIComponent(issueWorkflowId(repository as `${string}/${string}`, number));
    const answer = await fetch(`${stage.url}/api/tasks/${id}`, { signal: AbortSignal.timeout(30_000) });
    const { hosts } = (await answer.json()) as RunView;
    moves += Math.max(0, hosts.length - 1);
  }
  return moves;
}

export async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
