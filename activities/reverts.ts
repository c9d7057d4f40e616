/** What the history of the default branch says of changes that are remembered as merged: which were taken back, and which brought in again. */
import type { RepositoryName } from "../domain/ids.ts";
import { type Memory, scopeOfRepository } from "../domain/memory.ts";
import type { Experience, SourceRepository } from "../domain/memory-ports.ts";
import { revertedIn } from "../domain/reverts.ts";

/** Commits that are looked through for reverts: what is older was looked at by an earlier index. */
const RECENT_COMMITS = 300;

/** The memories that are different by what stands at `tip`. */
export async function revisedAt(
  experience: Experience,
  repository: RepositoryName,
  source: SourceRepository,
  tip: string,
  signal: AbortSignal,
): Promise<Memory[]> {
  const merged = await experience.list(scopeOfRepository(repository), { kinds: ["resolution", "lesson"] }, signal);
  if (merged.length === 0) return [];
  const recent = await source.commits(await source.history(tip, RECENT_COMMITS, signal), signal);
  return revertedIn(repository, recent, merged);
}
