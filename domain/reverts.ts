/** Which merged changes were taken back, as the history of the default branch tells it; and which of them were brought in again. */
import { sameRepository, type RepositoryName } from "./ids.ts";
import type { Memory } from "./memory.ts";

export interface ToldCommit {
  hash: string;
  message: string;
}

/**
 * The memories that are different now: a resolution that was taken back is marked as reverted, and the lessons from it no longer hold;
 * where the revert was taken back, too, it is as before.
 * @param commits the newest first
 */
export function revertedIn(
  repository: RepositoryName,
  commits: readonly ToldCommit[],
  memories: readonly Memory[],
): Memory[] {
  const { standing, undone } = revertsOf(repository, commits);
  const reverted = new Map<string, boolean>();
  for (const memory of memories) {
    if (memory.kind !== "resolution") continue;
    const { mergeSha: hash, pullRequest } = memory;
    const target = { hash: hash?.toLowerCase() ?? null, pullRequest: hash === null ? null : pullRequest };
    if (isIn(standing, target)) reverted.set(memory.id, true);
    else if (isIn(undone, target)) reverted.set(memory.id, false);
  }
  const changed: Memory[] = [];
  const merged = new Set<string>();
  for (const memory of memories) {
    if (memory.kind !== "resolution") continue;
    if (memory.outcome === "merged") merged.add(memory.id);
    const now = reverted.get(memory.id);
    if (now !== undefined && now !== memory.reverted) changed.push({ ...memory, reverted: now });
  }
  for (const memory of memories) {
    if (memory.kind !== "lesson") continue;
    const now = reverted.get(memory.of);
    const confirmed = now === false && merged.has(memory.of);
    if (now !== undefined && confirmed !== memory.confirmed) changed.push({ ...memory, confirmed });
  }
  return changed;
}

/** What a commit takes back: by hash, or a short one, or by the number of its pull request. */
interface Taken {
  hashes: string[];
  pullRequests: number[];
}

interface Target {
  hash: string | null;
  pullRequest: number | null;
}

/** A revert comes after what it takes back, so the newest says first which of those before it still count. */
function revertsOf(repository: RepositoryName, commits: readonly ToldCommit[]): { standing: Taken[]; undone: Taken[] } {
  const [standing, undone]: [Taken[], Taken[]] = [[], []];
  for (const { hash, message } of commits) {
    const taken = takenBackBy(repository, message);
    if (taken.hashes.length + taken.pullRequests.length === 0) continue;
    const itself = { hash: hash.toLowerCase(), pullRequest: pullRequestOf(message) };
    (isIn(standing, itself) ? undone : standing).push(taken);
  }
  return { standing, undone };
}

/** Git and GitHub both write it into the message of the commit that takes another back. */
const COMMIT = /\bThis reverts commit ([0-9a-f]{7,64})\b/gi;
/** GitHub writes it into the text of a pull request that takes another back, and so into what is squashed of it. */
const PULL_REQUEST = /\bReverts ([\w.-]+\/[\w.-]+)?#([1-9]\d{0,9})\b/gi;

function takenBackBy(repository: RepositoryName, message: string): Taken {
  return {
    hashes: [...message.matchAll(COMMIT)].map(([, hash]) => hash!.toLowerCase()),
    pullRequests: [...message.matchAll(PULL_REQUEST)]
      .filter(([, named]) => named === undefined || sameRepository(named, repository))
      .map(([, , number]) => Number(number)),
  };
}

/** As GitHub ends the first line of a squashed pull request. */
function pullRequestOf(message: string): number | null {
  const found = /\(#([1-9]\d{0,9})\)\s*$/.exec(message.split("\n", 1)[0]!);
  return found === null ? null : Number(found[1]);
}

function isIn(reverts: readonly Taken[], { hash, pullRequest }: Target): boolean {
  return reverts.some(
    ({ hashes, pullRequests }) =>
      (hash !== null && hashes.some((each) => hash.startsWith(each))) ||
      (pullRequest !== null && pullRequests.includes(pullRequest)),
  );
}
