/** How often what happened, for metrics: names and results only, never repositories or people. */
export interface Counts {
  add(name: string, result: string): void;
  /** `name` -> `result` -> how often. */
  snapshot(): Record<string, Record<string, number>>;
}

export function createCounts(): Counts {
  const counts = new Map<string, Map<string, number>>();
  return {
    add(name, result) {
      const results = counts.get(name) ?? new Map<string, number>();
      counts.set(name, results.set(result, (results.get(result) ?? 0) + 1));
    },
    snapshot() {
      return Object.fromEntries([...counts].map(([name, results]) => [name, Object.fromEntries(results)]));
    },
  };
}
