/** The merge queue: who demands it, who is in it, and how one comes out of it. */
import { type Happening, pullHappened } from "./events.ts";
import { mergePull } from "./merging.ts";
import { now } from "./played.ts";
import type { PullIssue } from "./render-pull.ts";
import type { Repository } from "./world.ts";

export function demandsQueue({ protection, defaultBranch }: Repository, { pull }: PullIssue): boolean {
  return protection?.queue === true && pull.baseRef === defaultBranch;
}

export async function enterQueue(happening: Happening, issue: PullIssue): Promise<void> {
  issue.pull.queued = { headSha: issue.pull.headSha, enqueuedAt: now() };
  issue.pull.dequeuedBecause = null;
  await pullHappened(happening, "enqueued", issue);
}

/** `because` null: its turn came, and it is merged. */
export async function leaveQueue(happening: Happening, issue: PullIssue, because: string | null): Promise<void> {
  const { pull } = issue;
  const sha = pull.queued?.headSha ?? pull.headSha;
  pull.queued = null;
  pull.dequeuedBecause = because ?? "MERGE";
  if (because === null) {
    await mergePull(happening, issue, { method: "squash", sha, title: null, message: null, fromQueue: true });
  }
  await pullHappened(happening, "dequeued", issue, { reason: pull.dequeuedBecause });
}
