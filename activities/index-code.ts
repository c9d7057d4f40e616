/** The index of a repository's code, from the mirror of this machine; and what its history says of changes that were taken back. */
import type { Memory } from "../domain/memory.ts";
import { scopeOfRepository } from "../domain/memory.ts";
import type { MemoryPort, Mirror, SourceRepository } from "../domain/ports.ts";
import { revertedIn } from "../domain/reverts.ts";
import { orderOfIndex, orderOfMemory } from "./keep.ts";
import type { MemoryActivities } from "./memory-contract.ts";
import { working } from "./temporal.ts";

/** Commits that are looked through for reverts: what is older was looked at by an earlier index. */
const RECENT_COMMITS = 300;

export interface IndexParts {
  mirror: Mirror;
  memory: MemoryPort;
}

export function createIndexing({ mirror, memory }: IndexParts): Pick<MemoryActivities, "startIndexing" | "indexCode"> {
  return {
    startIndexing: ({ run, ground, commit }) =>
      working(() =>
        orderOfIndex({
          repository: run.repository,
          cloneUrl: ground.cloneUrl,
          branch: ground.defaultBranch,
          commit,
        }),
      ),

    indexCode: ({ repository, cloneUrl, branch, commit: wanted }) =>
      working(async ({ signal, beat }) => {
        // The worker that has the mirror's newest commit need not ask GitHub for it again.
        const known = await mirror.has(repository, wanted, signal);
        const commit = known ? wanted : await mirror.fetch(repository, cloneUrl, branch, signal);
        const source = await mirror.source(repository);
        const scope = scopeOfRepository(repository);
        const report = await memory.code.index(scope, source, commit, { signal, onProgress: beat });
        const reverted = await withReverts(source, commit, signal);
        if (reverted.length > 0) await orderOfMemory(repository, { kind: "store", memories: reverted });
        return report;

        async function withReverts(from: SourceRepository, tip: string, until: AbortSignal): Promise<Memory[]> {
          const merged = await memory.experience.list(scope, { kinds: ["resolution", "lesson"] }, until);
          if (merged.length === 0) return [];
          const recent = await from.commits(await from.history(tip, RECENT_COMMITS, until), until);
          return revertedIn(recent, merged);
        }
      }),
  };
}
