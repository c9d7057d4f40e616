/**
 * Brings the cosines of an embedding model onto the scale of `similarity.ts`. Each model has its own idea of near: for one unrelated
 * texts have .1, for another .7. So the model is shown pairs that mean the same and pairs that do not, once, and these fix the scale.
 */
import type { Embedder } from "../dense/embedder.ts";

/** Maps a cosine of this model to 0..1. */
export type DenseScale = (cosine: number) => number;

const scales = new WeakMap<Embedder, Promise<DenseScale>>();

export function denseScale(embedder: Embedder, signal: AbortSignal): Promise<DenseScale> {
  const known = scales.get(embedder);
  if (known) return known;
  const measured = measure(embedder, signal);
  scales.set(embedder, measured);
  // What failed is measured again by the next who asks.
  measured.catch(() => scales.delete(embedder));
  return measured;
}

/** Where a pair that means the same shall stand: well above the usual threshold of .7. */
const SAME = 0.9;

async function measure(embedder: Embedder, signal: AbortSignal): Promise<DenseScale> {
  const vectors = await embedder.embed(PAIRS.flat(), "document", signal);
  const alike: number[] = [];
  const unlike: number[] = [];
  for (let one = 0; one < vectors.length; one += 1)
    for (let other = one + 1; other < vectors.length; other += 1)
      (one >> 1 === other >> 1 ? alike : unlike).push(cosineOf(vectors[one]!, vectors[other]!));
  const [near, far] = [mean(alike), mean(unlike)];
  // A model that cannot tell them apart tells nothing.
  if (!(near - far > 0.01)) return () => 0;
  const steepness = -Math.log(1 - SAME);
  return (cosine) => (cosine <= far ? 0 : 1 - Math.exp((-steepness * (cosine - far)) / (near - far)));
}

/** Issues as people write them, each told twice in other words. */
const PAIRS: readonly (readonly [string, string])[] = [
  [
    "The app crashes when I open an empty file",
    "Opening a file without content makes the program exit with an exception",
  ],
  ["Dates at the end of a month are off by one day", "Wrong day is shown for the last date of each month"],
  ["Please add a dark colour scheme", "It would be nice to have a night mode theme"],
  ["Login fails after the password was changed", "I cannot sign in any more since I reset my credentials"],
  ["Downloads hang on slow connections", "Fetching large files never finishes when the network is bad"],
  ["Typo in the installation guide", "The setup documentation has a spelling mistake"],
];

export function cosineOf(one: Float32Array, other: Float32Array): number {
  let [dot, ones, others] = [0, 0, 0];
  for (let at = 0; at < one.length; at += 1) {
    dot += one[at]! * other[at]!;
    ones += one[at]! ** 2;
    others += other[at]! ** 2;
  }
  return dot / (Math.sqrt(ones * others) || 1);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
