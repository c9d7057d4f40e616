/** What the history says of files: which ones earlier changes with a similar message touched, and in what words. */
import { createHash } from "node:crypto";
import type { Group, Hit } from "../store/store.ts";
import { saturate, type Saturation } from "../text/vector.ts";
import { type Changed, companionsOf } from "./companions.ts";
import { commitPrefix, countText, FORMAT, toldPrefix, VECTORS, type CommitPayload } from "./document.ts";
import type { Files } from "./files.ts";
import type { Candidate, CandidateOf, Signal } from "./candidate.ts";

/** For each file of a commit, the subjects of the commits that changed it, as one text. */
export interface Told {
  path: string;
  /** The same as long as the same commits speak of it. */
  tag: string;
  group: () => Group;
}

/** A text of this many words is held back by nothing: some ten commits. */
const TOLD: Saturation = { k1: 1, b: 0.6, usualLength: 40 };

export function toldOf(commits: ReadonlyMap<string, CommitPayload>, files: Files): Told[] {
  const speaking = new Map<string, Commit[]>();
  for (const [name, { files: touched, subject }] of commits) {
    const present = touched.flatMap((old) => files.present(old) ?? []);
    const sources = [...new Set(present)].filter(({ kind }) => kind === "source").map(({ path }) => path);
    const commit: Commit = { name, subject, share: shareOf(touched), sources };
    for (const { path } of present) {
      const list = speaking.get(path);
      if (list) list.push(commit);
      else speaking.set(path, [commit]);
    }
  }
  return [...speaking].map(([path, list]) => {
    const told = list.sort((a, b) => (a.name < b.name ? -1 : 1));
    const hash = createHash("sha1");
    // What a file is called now, too: a companion may have moved.
    for (const { name, sources } of told) hash.update([name, ...sources].join("\0"));
    const tag = `${FORMAT}:${hash.digest("hex")}`;
    return { path, tag, group: () => toldGroup(path, tag, told) };
  });
}

interface Commit extends Changed {
  /** Of its group. */
  name: string;
  subject: string;
  /** How much it says of each of its files. */
  share: number;
}

function toldGroup(path: string, tag: string, commits: readonly Commit[]): Group {
  const counts = new Map<number, number>();
  let length = 0;
  for (const { subject, share } of commits) length += countText(subject, counts, share) * share;
  const companions = companionsOf(path, commits);
  const vectors = {
    ...(counts.size > 0 ? { [VECTORS.told]: saturate(counts, length, TOLD) } : {}),
    ...(companions === null ? {} : { [VECTORS.symbols]: companions }),
  };
  return { name: toldPrefix + path, tag, points: [{ payload: {}, vectors }] };
}

/** A change of many files says less of each. */
function shareOf(touched: readonly string[]): number {
  return 1 / Math.sqrt(touched.length);
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
      const file = files.present(old);
      if (file === null) continue;
      const candidate: Candidate = of(file);
      candidate.subject ??= subject;
      candidate.signals[sum] += alike * alike * shareOf(touched);
      if (best !== null) candidate.signals[best] = Math.max(candidate.signals[best], score * shareOf(touched));
    }
  }
}
