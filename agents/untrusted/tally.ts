/** Counts what was taken out of a text, by kind, so that a human can be told. */

export type RemovedKind =
  | "invisible character"
  | "bidirectional control"
  | "tag character"
  | "variation selector"
  | "filler character"
  | "control character"
  | "comment"
  | "hidden element"
  | "attribute text"
  | "folded section"
  | "image text"
  | "link title"
  | "empty link"
  | "link definition"
  | "footnote"
  | "code fence note"
  | "overlong text";

export interface Removed {
  kind: RemovedKind;
  count: number;
}

export class Tally {
  private readonly counts = new Map<RemovedKind, number>();

  add(kind: RemovedKind, count = 1): void {
    if (count > 0) this.counts.set(kind, (this.counts.get(kind) ?? 0) + count);
  }

  list(): Removed[] {
    return [...this.counts].map(([kind, count]) => ({ kind, count }));
  }
}

/** One list from several, adding up equal kinds. */
export function addUp(lists: readonly (readonly Removed[])[]): Removed[] {
  const tally = new Tally();
  for (const { kind, count } of lists.flat()) tally.add(kind, count);
  return tally.list();
}
