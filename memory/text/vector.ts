/** Sparse vectors: a word is its hash, so no dictionary has to be kept, shared and repaired. */
import type { SparseVector } from "../store/store.ts";

/** FNV-1a over UTF-16 units, 32 bits: in a vocabulary of 100,000 words one or two pairs share a number. */
export function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193);
  // The last bits of FNV alone are weak; they choose the place in the store's filter.
  hash ^= hash >>> 15;
  return hash >>> 0;
}

/** Sorted by index, as Qdrant asks for it. */
export function vectorOf(weights: ReadonlyMap<number, number>): SparseVector {
  const indices = Uint32Array.from(weights.keys()).sort();
  const values = new Float32Array(indices.length);
  indices.forEach((index, at) => (values[at] = weights.get(index)!));
  return { indices, values };
}

/** How often a word counts, and how much long texts are held back. */
export interface Saturation {
  k1: number;
  b: number;
  /** The length at which nothing is held back. Fixed, so that a stored vector never depends on other files. */
  usualLength: number;
}

/** BM25's part of the document. Its part of the corpus, the rarity of words, is the store's. */
export function saturate(counts: ReadonlyMap<number, number>, length: number, by: Saturation): SparseVector {
  const held = by.k1 * (1 - by.b + (by.b * length) / by.usualLength);
  const weights = new Map<number, number>();
  for (const [word, count] of counts) weights.set(word, (count * (by.k1 + 1)) / (count + held));
  return vectorOf(weights);
}
