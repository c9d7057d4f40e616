/** What the history says of files: which ones earlier changes with a similar message touched, and in what words. */
import { createHash } from "node:crypto";
import type { Group, Hit } from "../store/store.ts";
import { saturate, type Saturation } from "../text/vector.ts";
import { commitPrefix, countText, FORMAT, toldPrefix, VECTORS, type CommitPayload } from "./document.ts";
import type { Files } from "./files.ts";
import type { Candidate, CandidateOf, Signal } from "./signals.ts";

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
  const speaking = new Map<string, string[]>();
  for (const [name, { files: touched }] of commits) {
    for (const old of touched) {
      const path = files.present(old)?.path;
      if (path === undefined) continue;
      const names = speaking.get(path);
      if (names) names.push(name);
      else speaking.set(path, [name]);
    }
  }
  return [...speaking].map(([path, names]) => {
    const tag = `${FORMAT}:${createHash("sha1").update(names.sort().join(" ")).digest("hex")}`;
    return {
      path,
      tag,
      group: () =>
        toldGroup(
          path,
          tag,
          names.map((name) => commits.get(name)!),
        ),
    };
  });
}

function toldGroup(path: string, tag: string, commits: readonly CommitPayload[]): Group {
  const counts = new Map<number, number>();
  let length = 0;
  for (const { subject, files } of commits) length += countText(subject, counts, shareOf(files)) * shareOf(files);
  return {
    name: toldPrefix + path,
    tag,
    points: [{ payload: {}, vectors: counts.size > 0 ? { [VECTORS.told]: saturate(counts, length, TOLD) } : {} }],
  };
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
