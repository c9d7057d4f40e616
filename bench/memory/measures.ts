/** From places in a list of answers to the numbers that are told. */
import { rounded, spread, type Spread } from "../statistics.ts";

export interface Tally {
  /** For each fix, the place of each answer; -1 where it was not found. */
  ranks: number[][];
  queryMs: number[];
  indexedFiles: number;
  indexMs: number;
  bytes: number;
}

export interface Measures {
  fixes: number;
  /** The mean share of a fix's files among the first 1, 5, 10, 20. */
  recall: Record<1 | 5 | 10 | 20, number>;
  /** The mean of one through the place of the first file found. */
  mrr: number;
  secondsPer1000Files: number;
  queryMs: Spread;
  bytes: number;
}

export function emptyTally(): Tally {
  return { ranks: [], queryMs: [], indexedFiles: 0, indexMs: 0, bytes: 0 };
}

export function measuresOf({ ranks, queryMs, indexedFiles, indexMs, bytes }: Tally): Measures {
  const mean = (of: (places: readonly number[]) => number): number =>
    Math.round((ranks.reduce((sum, places) => sum + of(places), 0) / ranks.length) * 10_000) / 10_000;
  const recallAt = (count: number): number =>
    mean((places) => places.filter((place) => place >= 0 && place < count).length / places.length);
  return {
    fixes: ranks.length,
    recall: { 1: recallAt(1), 5: recallAt(5), 10: recallAt(10), 20: recallAt(20) },
    mrr: mean((places) => Math.max(0, ...places.filter((place) => place >= 0).map((place) => 1 / (place + 1)))),
    secondsPer1000Files: rounded(indexMs / indexedFiles),
    queryMs: spread(queryMs),
    bytes,
  };
}
