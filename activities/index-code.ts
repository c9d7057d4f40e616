/** The index of a repository's code, from the mirror of this machine; and what its history says of changes that were taken back. */
import { Context, log } from "@temporalio/activity";
import { type MemoryScope, scopeOfRepository } from "../domain/memory.ts";
import type { IndexReport, MemoryPort } from "../domain/memory-ports.ts";
import type { Mirror } from "../domain/ports.ts";
import { departedSince } from "./forget.ts";
import { orderOfIndex, orderOfMemory } from "./keep.ts";
import type { MemoryActivities } from "./memory-contract.ts";
import { revisedAt } from "./reverts.ts";
import { working } from "./temporal.ts";

/** The attempt may be over already, so its own signal does not count. */
const TAKE_AWAY_MS = 20_000;

export interface IndexParts {
  mirror: Mirror;
  memory: MemoryPort;
}

export function createIndexing({ mirror, memory }: IndexParts): Pick<MemoryActivities, "startIndexing" | "indexCode"> {
  return {
    startIndexing: ({ run, ground, commit, since }) =>
      working(() =>
        orderOfIndex({
          repository: run.repository,
          cloneUrl: ground.cloneUrl,
          branch: ground.defaultBranch,
          commit,
          since,
        }),
      ),

    indexCode: ({ repository, cloneUrl, branch, commit: wanted, since = scheduledAt() }) =>
      working(async ({ signal, beat }) => {
        const scope = scopeOfRepository(repository);
        if (await departedSince(memory.experience, scope, since, signal)) return null;
        try {
          return await brought();
        } finally {
          // Whoever forgets it ends this work, and does not wait for its end: what it wrote last it takes away itself.
          await takenAway(scope, since);
        }

        async function brought(): Promise<IndexReport> {
          const commit = (await isNewest()) ? wanted : await mirror.fetch(repository, cloneUrl, branch, signal);
          const source = await mirror.source(repository);
          const report = await memory.code.index(scope, source, commit, { signal, onProgress: beat });
          const reverted = await revisedAt(memory.experience, repository, source, commit, signal);
          if (reverted.length > 0)
            await orderOfMemory(repository, { kind: "store", memories: reverted, since, revised: true });
          return report;
        }

        /**
         * The worker whose mirror has the commit that a run has just fetched need not ask GitHub for it again. A run that goes on
         * from an old commit must not turn the index of all others back to it.
         */
        async function isNewest(): Promise<boolean> {
          if (!(await mirror.has(repository, wanted, signal))) return false;
          const indexed = await memory.code.indexed(scope, signal);
          if (indexed === null || indexed === wanted) return true;
          if (!(await mirror.has(repository, indexed, signal))) return false;
          return (await mirror.mergeBase(repository, indexed, wanted, signal)) === indexed;
        }
      }),
  };

  async function takenAway(scope: MemoryScope, since: string): Promise<void> {
    const signal = AbortSignal.timeout(TAKE_AWAY_MS);
    try {
      if (await departedSince(memory.experience, scope, since, signal)) await memory.code.remove(scope, signal);
    } catch (error) {
      log.warn("whether an index was forgotten while it was made is not known", {
        ...scope,
        reason: (error as Error).message,
      });
    }
  }
}

function scheduledAt(): string {
  return new Date(Context.current().info.scheduledTimestampMs).toISOString();
}
