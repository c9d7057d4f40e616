/** How the points of a group stand in a row: 32-bit words, so that reading them is copying them. */
import { hashOf } from "../text/vector.ts";
import type { Point } from "./store.ts";

/** Weights are kept in 16 bits: steps of 1/1000, up to 65, where a weight of BM25 is at most k1 + 1. */
export const WEIGHT_STEPS = 1_000;
const MAX_STEPS = 65_535;

/**
 * For each point: how many vectors; for each vector: the hash of its name, its length, its indices, its weights two to a
 * word. Payloads are JSON, dense vectors 32-bit floats one after another.
 */
export function packGroup(points: readonly Point[]): { payloads: string; vectors: Buffer; dense: Buffer | null } {
  let length = 0;
  for (const { vectors } of points) {
    length += 1;
    for (const { indices } of Object.values(vectors)) length += 2 + indices.length + ((indices.length + 1) >> 1);
  }
  const words = new Uint32Array(length);
  let at = 0;
  for (const { vectors } of points) {
    const entries = Object.entries(vectors);
    words[at++] = entries.length;
    for (const [name, { indices, values }] of entries) {
      words[at++] = hashOf(name);
      words[at++] = indices.length;
      words.set(indices, at);
      at += indices.length;
      for (let pair = 0; pair < values.length; pair += 2)
        words[at++] = steps(values[pair]!) | (steps(values[pair + 1] ?? 0) << 16);
    }
  }
  return {
    payloads: JSON.stringify(points.map(({ payload }) => payload)),
    vectors: Buffer.from(words.buffer),
    dense: packDense(points),
  };
}

function steps(weight: number): number {
  return Math.min(MAX_STEPS, Math.max(0, Math.round(weight * WEIGHT_STEPS)));
}

/** One flag for each point, padded to a word, then the vectors of those that have one. */
function packDense(points: readonly Point[]): Buffer | null {
  if (points.every(({ dense }) => dense === undefined)) return null;
  const parts: Uint8Array[] = [new Uint8Array((points.length + 3) & ~3)];
  points.forEach(({ dense }, at) => {
    if (dense === undefined) return;
    parts[0]![at] = 1;
    parts.push(new Uint8Array(dense.buffer, dense.byteOffset, dense.byteLength));
  });
  return Buffer.concat(parts);
}

/** What a group is in the database. */
export type Row = [name: string, payloads: string, vectors: Uint8Array, dense: Uint8Array | null];

/** A buffer of the database need not begin where a 32-bit word may. */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  if (bytes.byteOffset % 4 === 0) return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}

/** Goes through what {@link packGroup} packed, and returns how many points there are. */
export function eachVector(
  words: Uint32Array,
  visit: (point: number, channel: number, at: number, length: number) => void,
): number {
  let at = 0;
  let point = 0;
  for (; at < words.length; point++) {
    const vectors = words[at++]!;
    for (let vector = 0; vector < vectors; vector++) {
      const channel = words[at]!;
      const length = words[at + 1]!;
      visit(point, channel, at + 2, length);
      at += 2 + length + ((length + 1) >> 1);
    }
  }
  return point;
}
