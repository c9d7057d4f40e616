/** Small numbers about many numbers. */

export interface Spread {
  median: number;
  p95: number;
}

/** Of nothing: NaN, which JSON shows as null. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
  return { median: at(0.5), p95: at(0.95) };
}

/** What a benchmark stands on. Throws without a single number: it has failed, whatever else it could tell. */
export function measured(what: string, values: readonly number[]): readonly number[] {
  if (values.length === 0) throw new Error(`The benchmark has measured nothing: ${what}.`);
  return values;
}

export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
