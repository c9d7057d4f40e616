/** Searches that only ever move forward, remembered: a scan that asks "is there another `-->`?" at every step stays linear. */
export class Finder {
  private readonly text: string;
  private readonly known = new Map<string, { from: number; at: number }>();

  constructor(text: string) {
    this.text = text;
  }

  /** Where `what` stands next, from `from` on; -1 when nowhere. */
  next(what: string, from: number): number {
    const known = this.known.get(what);
    if (known && from >= known.from && (known.at === -1 || known.at >= from)) return known.at;
    const at = this.text.indexOf(what, from);
    this.known.set(what, { from, at });
    return at;
  }
}

/** For each `<!--`, by position, the `-->` that closes it when comments are read as nested. One pass with a stack. */
export function matchComments(text: string): Map<number, number> {
  const matches = new Map<number, number>();
  const open: number[] = [];
  for (const token of text.matchAll(/<!--|-->/g)) {
    if (token[0] === "<!--") {
      open.push(token.index);
    } else {
      const start = open.pop();
      if (start !== undefined) matches.set(start, token.index);
    }
  }
  return matches;
}
