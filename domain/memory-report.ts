/** What the upkeep of the memory did. */
export interface MemoryReport {
  /** Repositories whose memories were looked at. */
  repositories: number;
  /** Memories that were past their time, or too many of their issue. */
  forgotten: number;
}

export function tellMemoryReport({ repositories, forgotten }: MemoryReport): string {
  return `${forgotten} memories of ${repositories} repositories forgotten`;
}
