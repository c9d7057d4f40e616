/** What of a repository's memories is past its time, or too much of one issue. */
import type { Memory } from "./memory.ts";
import type { MemorySettings } from "./settings.ts";

const DAY_MS = 24 * 60 * 60_000;

/** Ids. What people taught stays until a person has it forgotten. */
export function pastTheirTime(
  memories: readonly Memory[],
  { retention_days, max_memories_per_issue }: Pick<MemorySettings, "retention_days" | "max_memories_per_issue">,
  now: Date,
): string[] {
  const oldest = retention_days === 0 ? -Infinity : now.getTime() - retention_days * DAY_MS;
  const ofIssue = new Map<number, number>();
  return memories
    .filter((memory) => memory.kind !== "taught")
    .toSorted((one, other) => other.at.localeCompare(one.at) || IMPORTANCE[one.kind] - IMPORTANCE[other.kind])
    .filter((memory) => {
      const place = (ofIssue.get(memory.issue) ?? 0) + 1;
      ofIssue.set(memory.issue, place);
      return place > max_memories_per_issue || Date.parse(memory.at) < oldest;
    })
    .map(({ id }) => id);
}

/** Of memories of one run, which all have its time, these go last. */
const IMPORTANCE = { resolution: 0, lesson: 1, workflow: 2 } as const;
