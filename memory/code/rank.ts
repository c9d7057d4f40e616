/** The one ranking, over any store: signals made comparable, weighed, and added. */
import type { FileKind } from "./file-kind.ts";
import type { Candidate, Signal } from "./signals.ts";

export interface Ranked extends Candidate {
  score: number;
  /** What each signal added. */
  parts: { signal: Signal; points: number }[];
}

export const WEIGHTS: Readonly<Partial<Record<Signal, number>>> = {
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

export function rank(candidates: readonly Candidate[]): Ranked[] {
  const most = new Map<Signal, number>();
  for (const signal of Object.keys(WEIGHTS) as Signal[])
    most.set(signal, Math.max(0, ...candidates.map(({ kind, signals }) => signals[signal] * KIND_FACTOR[kind])));
  return candidates
    .map((candidate) => {
      const parts = Object.entries(WEIGHTS).flatMap(([name, weight]) => {
        const signal = name as Signal;
        const top = most.get(signal)!;
        const value = candidate.signals[signal];
        if (value <= 0 || top <= 0) return [];
        return [{ signal, points: weight * Math.min(1, value / top) * KIND_FACTOR[candidate.kind] }];
      });
      return { ...candidate, parts, score: parts.reduce((sum, { points }) => sum + points, 0) };
    })
    .sort((a, b) => b.score - a.score || (a.path < b.path ? -1 : 1));
}
