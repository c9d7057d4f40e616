/** What the upkeep of the memory did. */
export interface MemoryReport {
  /** Repositories whose memories were looked at. */
  repositories: number;
  /** Memories that were past their time, or too many of their issue. */
  forgotten: number;
  /** Memories that got their vectors now: the embeddings service was away when they were written, or is another one. */
  embedded: number;
  /** Why some have none still; null: all have. */
  lacking: string | null;
}

export function tellMemoryReport({ repositories, forgotten, embedded, lacking }: MemoryReport): string {
  const told = `${forgotten} memories of ${repositories} repositories forgotten`;
  // A report of an older build has neither.
  const made = !embedded ? told : `${told}, ${embedded} embedded`;
  return lacking == null ? made : `${made}; others are found by words alone: ${lacking}`;
}
