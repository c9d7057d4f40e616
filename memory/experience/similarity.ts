/**
 * How much alike two texts are, from 0 to 1, the same on every store: the words' cosine is computed here, from the repository's own
 * memories, and not taken from the store, whose idea of a rare word is its own.
 */
import { withoutTrailers } from "../code/query.ts";
import { rarity } from "../store/store.ts";
import { isStopped, STOP_WORDS } from "../text/stop-words.ts";
import { TOKEN, wordsOf } from "../text/words.ts";

/** Word -> how much it counts in this text. */
export type Words = ReadonlyMap<string, number>;

/** An issue may quote a whole log; its first pages say what it is about. */
const MAX_CHARACTERS = 20_000;

/** Repetition counts, ever less. */
export function wordsIn(text: string): Words {
  const counts = new Map<string, number>();
  for (const [token] of withoutTrailers(text.slice(0, MAX_CHARACTERS)).matchAll(TOKEN)) {
    if (STOP_WORDS.has(token.toLowerCase())) continue;
    const { parts, joined } = wordsOf(token);
    for (const word of [...parts, ...joined]) if (!isStopped(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  for (const [word, count] of counts) counts.set(word, (2 * count) / (count + 1));
  return counts;
}

/**
 * A raw cosine of .3 is a good match among issues, and .7 is hardly ever seen: the scale is stretched so that .7 means .3. Measured on
 * 1,906 fixes of 34 repositories: of the earlier fixes above it 64 % changed a file that the new one changed, too, and one issue in ten
 * is shown an earlier one that did not.
 */
const STRETCH = 0.249;

export function calibrated(cosine: number): number {
  return cosine <= 0 ? 0 : 1 - Math.exp(-cosine / STRETCH);
}

/** How many texts there are, and how many of them have a word. */
export interface Corpus {
  total: number;
  having: ReadonlyMap<string, number>;
}

export function corpusOf(texts: Iterable<Words>): Corpus {
  const having = new Map<string, number>();
  let total = 0;
  for (const words of texts) {
    total += 1;
    for (const word of words.keys()) having.set(word, (having.get(word) ?? 0) + 1);
  }
  return { total, having };
}

export function cosine(one: Words, other: Words, { total, having }: Corpus): number {
  // A word that no memory has is as rare as one that a single memory has: that it is asked for is an occurrence, too.
  const weight = (word: string, count: number): number => count * rarity(total, having.get(word) ?? 1);
  let [dot, ones, others] = [0, 0, 0];
  for (const [word, count] of one) {
    const mine = weight(word, count);
    ones += mine * mine;
    const theirs = other.get(word);
    if (theirs !== undefined) dot += mine * weight(word, theirs);
  }
  for (const [word, count] of other) others += weight(word, count) ** 2;
  return dot === 0 ? 0 : dot / Math.sqrt(ones * others);
}
