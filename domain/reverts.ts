/** Which merged changes were taken back, as the history of the default branch tells it. */
import type { Memory } from "./memory.ts";

/** Git and GitHub both write it into the message of the commit that takes another back. */
const REVERTS = /\bThis reverts commit ([0-9a-f]{7,64})\b/gi;

/** The memories that are different now: a resolution is marked as reverted, and the lessons from it no longer hold. */
export function revertedIn(commits: readonly { message: string }[], memories: readonly Memory[]): Memory[] {
  const taken = commits.flatMap(({ message }) => [...message.matchAll(REVERTS)].map(([, sha]) => sha!.toLowerCase()));
  const isTaken = (sha: string | null): boolean => sha !== null && taken.some((each) => sha.startsWith(each));
  const gone = new Set<string>();
  const changed: Memory[] = [];
  for (const memory of memories) {
    if (memory.kind !== "resolution" || !isTaken(memory.mergeSha)) continue;
    gone.add(memory.id);
    if (!memory.reverted) changed.push({ ...memory, reverted: true });
  }
  for (const memory of memories)
    if (memory.kind === "lesson" && memory.confirmed && gone.has(memory.of))
      changed.push({ ...memory, confirmed: false });
  return changed;
}
