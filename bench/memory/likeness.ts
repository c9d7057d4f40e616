/** From the earlier issues that are most like each one to what a threshold on their likeness does. */
export interface Neighbours {
  /** The most alike, best first. */
  best: readonly { score: number; useful: boolean }[];
  /** Any earlier one would have been useful, however unlike. */
  hasUseful: boolean;
}

export interface Likeness {
  threshold: number;
  /** The share of issues that are shown an earlier one at all. */
  shown: number;
  /** Of those, the share whose most alike is useful. */
  useful: number;
  /** The share of all issues whose most alike is shown and not useful. */
  wrong: number;
  /** Of the issues that have a useful earlier one, the share that is shown one. */
  kept: number;
}

export function likenessOf(all: readonly Neighbours[], threshold: number): Likeness {
  const shown = all.map(({ best }) => best.filter(({ score }) => score >= threshold));
  const any = shown.filter((each) => each.length > 0);
  const right = any.filter(([first]) => first!.useful).length;
  const having = all.filter(({ hasUseful }) => hasUseful).length;
  const kept = shown.filter((each) => each.some(({ useful }) => useful)).length;
  return {
    threshold,
    shown: share(any.length, all.length),
    useful: share(right, any.length),
    wrong: share(any.length - right, all.length),
    kept: share(kept, having),
  };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 1_000) / 1_000;
}
