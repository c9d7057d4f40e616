/** The one ranking, over any store: signals made comparable, weighed, and added. */
import type { FileKind } from "./file-kind.ts";
import type { Candidate, Signal } from "./candidate.ts";

export interface Ranked {
  candidate: Candidate;
  score: number;
  /** What the files that it changed together with have added. */
  gained: number;
}

export interface Ranking {
  ranked: Ranked[];
  /** What each signal has added. */
  partsOf(candidate: Candidate): { signal: Signal; points: number }[];
}

export const WEIGHTS: Readonly<Record<Signal, number>> = {
  chunkTitle: 0.3,
  chunkAll: 1.7,
  fileTitle: 0.2,
  fileAll: 0.7,
  pathTitle: 0.7,
  pathAll: 0.45,
  symbols: 0.7,
  nameChunk: 0.5,
  nameFile: 1.3,
  scope: 2,
  mention: 2.5,
  history: 0.45,
  historyTitle: 0.45,
  historyMax: 0.6,
  tested: 0.25,
  lines: 1.4,
  told: 0.2,
  toldTitle: 1,
  dense: 3,
};

export const KIND_FACTOR: Readonly<Record<FileKind, number>> = {
  source: 1,
  typings: 0.7,
  style: 0.5,
  example: 0.3,
  script: 0.2,
  generated: 0.2,
  vendored: 0.2,
  docs: 0.06,
  config: 0.06,
  test: 0.06,
};

const SIGNALS = Object.keys(WEIGHTS) as Signal[];
const WEIGHT_OF = Float64Array.from(Object.values(WEIGHTS));

/** Best first. */
export function rank(candidates: readonly Candidate[]): Ranking {
  const width = SIGNALS.length;
  // Side by side, so that each is looked up once: this is done for some hundred files of each search.
  const values = new Float64Array(candidates.length * width);
  const most = new Float64Array(width);
  candidates.forEach(({ kind, signals }, at) => {
    const factor = KIND_FACTOR[kind];
    SIGNALS.forEach((signal, which) => {
      const value = signals[signal];
      values[at * width + which] = value;
      if (value * factor > most[which]!) most[which] = value * factor;
    });
  });
  const points = (value: number, kind: FileKind, which: number): number =>
    most[which]! > 0 ? WEIGHT_OF[which]! * Math.min(1, value / most[which]!) * KIND_FACTOR[kind] : 0;
  const scored = candidates.map((candidate, at): Ranked => {
    let score = 0;
    for (let which = 0; which < width; which++) {
      const value = values[at * width + which]!;
      // Most are silent about most files.
      if (value !== 0) score += points(value, candidate.kind, which);
    }
    return { candidate, score, gained: 0 };
  });
  return {
    ranked: scored.filter(({ score }) => score > 0).sort(bestFirst),
    partsOf: ({ kind, signals }) =>
      SIGNALS.flatMap((signal, which) => {
        const added = points(signals[signal], kind, which);
        return added > 0 ? [{ signal, points: added }] : [];
      }),
  };
}

export function bestFirst(a: Ranked, b: Ranked): number {
  return b.score - a.score || (a.candidate.path < b.candidate.path ? -1 : 1);
}
