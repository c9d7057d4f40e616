/** What the history says of files: which ones earlier changes with a similar message touched, and in what words. */
import { TOKEN, wordsOf } from "../text/words.ts";
import { rarity, type Hit } from "../store/store.ts";
import { commitPrefix, type CommitPayload } from "./document.ts";
import { present, type Files } from "./files.ts";
import type { Candidate, CandidateOf, Signal } from "./signals.ts";

/** For each file the subjects of the commits that changed it, as one text. Made once for a commit. */
export interface Story {
  told: readonly { path: string; counts: ReadonlyMap<string, number>; length: number }[];
  /** In how many files' texts a word stands. */
  having: ReadonlyMap<string, number>;
  usualLength: number;
}

export function storyOf(payloads: Iterable<CommitPayload>, files: Files): Story {
  const told = new Map<string, { path: string; counts: Map<string, number>; length: number }>();
  for (const { subject, files: touched } of payloads) {
    const words = [...subject.matchAll(TOKEN)].flatMap(([token]) => {
      const { parts, joined } = wordsOf(token);
      return [...parts, ...joined];
    });
    const share = shareOf(touched);
    for (const old of touched) {
      const path = present(old, files);
      if (path === null) continue;
      let text = told.get(path);
      if (text === undefined) told.set(path, (text = { path, counts: new Map(), length: 0 }));
      for (const word of words) text.counts.set(word, (text.counts.get(word) ?? 0) + share);
      text.length += words.length * share;
    }
  }
  const having = new Map<string, number>();
  for (const { counts } of told.values())
    for (const word of counts.keys()) having.set(word, (having.get(word) ?? 0) + 1);
  const texts = [...told.values()];
  const total = texts.reduce((sum, { length }) => sum + length, 0);
  return { told: texts, having, usualLength: total / Math.max(1, texts.length) };
}

/** A change of many files says less of each. */
function shareOf(touched: readonly string[]): number {
  return 1 / Math.sqrt(touched.length);
}

const LENGTH_COUNTS = 0.6;

/** BM25 over those texts. */
export function addTold(story: Story, words: ReadonlyMap<string, number>, name: Signal, of: CandidateOf): void {
  const wanted = [...words].flatMap(([word, weight]) => {
    const having = story.having.get(word);
    return having === undefined ? [] : [{ word, points: weight * rarity(story.told.length, having) }];
  });
  for (const { path, counts, length } of story.told) {
    const held = 1 - LENGTH_COUNTS + (LENGTH_COUNTS * length) / story.usualLength;
    let score = 0;
    for (const { word, points } of wanted) {
      const count = counts.get(word);
      if (count !== undefined) score += (points * count * 2) / (count + held);
    }
    if (score > 0) of(path).signals[name] = score;
  }
}

/** Commits that are alike: the sum for each file that they changed, likeness squared, and the best of them. */
export function addHistory(
  hits: readonly Hit[],
  sum: Signal,
  best: Signal | null,
  files: Files,
  of: CandidateOf,
): void {
  const most = hits[0]?.score ?? 1;
  for (const { group, score, payload } of hits) {
    if (!group.startsWith(commitPrefix)) continue;
    const { files: touched, subject } = payload as CommitPayload;
    const alike = score / most;
    for (const old of touched) {
      const path = present(old, files);
      if (path === null) continue;
      const candidate: Candidate = of(path);
      candidate.subject ??= subject;
      candidate.signals[sum] += alike * alike * shareOf(touched);
      if (best !== null) candidate.signals[best] = Math.max(candidate.signals[best], score * shareOf(touched));
    }
  }
}
