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

/** Best first. */
export function rank(candidates: readonly Candidate[]): Ranking {
  const most = { ...NOTHING };
  for (const { kind, signals } of candidates) {
    const factor = KIND_FACTOR[kind];
    for (const signal of SIGNALS) {
      const value = signals[signal];
      if (value * factor > most[signal]) most[signal] = value * factor;
    }
  }
  const points = ({ kind, signals }: Candidate, signal: Signal): number =>
    most[signal] > 0 ? WEIGHTS[signal] * Math.min(1, signals[signal] / most[signal]) * KIND_FACTOR[kind] : 0;
  const scored = candidates.map((candidate): Ranked => {
    let score = 0;
    // Most are silent about most files.
    for (const signal of SIGNALS) if (candidate.signals[signal] !== 0) score += points(candidate, signal);
    return { candidate, score, gained: 0 };
  });
  return {
    ranked: scored.filter(({ score }) => score > 0).sort(bestFirst),
    partsOf: (candidate) =>
      SIGNALS.flatMap((signal) => {
        const added = points(candidate, signal);
        return added > 0 ? [{ signal, points: added }] : [];
      }),
  };
}

export function bestFirst(a: Ranked, b: Ranked): number {
  return b.score - a.score || (a.candidate.path < b.candidate.path ? -1 : 1);
}

const NOTHING = Object.fromEntries(SIGNALS.map((signal) => [signal, 0])) as Readonly<Record<Signal, number>>;
