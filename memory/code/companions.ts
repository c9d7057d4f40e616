/** Files that changed together with what fits: a fix of several files seldom names them all. */
import type { PointStore, Scope, SparseVector } from "../store/store.ts";
import { hashOf, vectorOf } from "../text/vector.ts";
import { VECTORS } from "./document.ts";
import type { File, Files } from "./files.ts";
import { bestFirst, type Ranked } from "./rank.ts";
import { candidateOf } from "./candidate.ts";

/** A commit of more sources is a move or a new style, and says nothing of any two of them. */
const MAX_TOGETHER = 15;
/** Those that a file changed with most often. */
const MAX_COMPANIONS = 50;
/** A file of few commits is held back a little: once together may be chance. */
const EXTRA_COMMITS = 3;

/** The best ones, asked for their companions; tried with 3, 5, 8 and 12. */
const SEEDS = 5;
const LIMIT = 100;
/** What the strongest companion gains, where the best file has 5 to 10. */
const WEIGHT = 0.7;
/** A companion comes after the file that speaks for it. */
const MOST = 0.95;

/** A commit, as far as it tells what belongs together. */
export interface Changed {
  /** The sources that it changed, by their names of today. */
  sources: readonly string[];
}

/** What is kept for a file: the sources that changed with it. It stands with the names that are looked for exactly as they are written. */
export function companionsOf(path: string, commits: readonly Changed[]): SparseVector | null {
  const together = new Map<string, number>();
  for (const { sources } of commits) {
    if (sources.length < 2 || sources.length > MAX_TOGETHER || !sources.includes(path)) continue;
    const share = 1 / Math.sqrt(sources.length - 1);
    for (const each of sources) if (each !== path) together.set(each, (together.get(each) ?? 0) + share);
  }
  if (together.size === 0) return null;
  const most = [...together].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MAX_COMPANIONS);
  const held = Math.sqrt(commits.length + EXTRA_COMMITS);
  return vectorOf(new Map(most.map(([each, times]): [number, number] => [companionHash(each), times / held])));
}

/** The same files and their companions, ranked anew. */
export async function withCompanions(
  store: PointStore,
  scope: Scope,
  files: Files,
  ranked: readonly Ranked[],
  signal: AbortSignal,
): Promise<Ranked[]> {
  const [first] = ranked;
  if (first === undefined) return [];
  const weights = ranked
    .slice(0, SEEDS)
    .map(({ candidate: { path }, score }): [number, number] => [companionHash(path), (score / first.score) ** 2]);
  const query = { vector: VECTORS.symbols, terms: vectorOf(new Map(weights)), limit: LIMIT };
  const [hits = []] = await store.search(scope, [query], signal);
  const gains = new Map<File, number>();
  for (const { group, score } of hits) {
    const file = files.ofGroup(group);
    if (file !== null) gains.set(file, (WEIGHT * score) / hits[0]!.score);
  }
  const most = MOST * first.score;
  const again = ranked.map((each): Ranked => {
    const gain = gains.get(each.candidate.file);
    if (gain === undefined) return each;
    gains.delete(each.candidate.file);
    const score = Math.max(each.score, Math.min(each.score + gain, most));
    return { ...each, score, gained: score - each.score };
  });
  for (const [file, gain] of gains) {
    const score = Math.min(gain, most);
    again.push({ candidate: candidateOf(file), score, gained: score });
  }
  return again.sort(bestFirst);
}

/** No name in code has a colon before it. */
function companionHash(path: string): number {
  return hashOf(`with:${path}`);
}
