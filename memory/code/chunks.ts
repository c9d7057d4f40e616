/** Cuts a file into pieces that are about one thing: at definitions where it can, never longer than a screen or so. */
import { definitionIn, languageOf } from "./languages.ts";

export interface Chunk {
  /** Lines, counted from 1, both included. */
  from: number;
  to: number;
  /** What is defined here, in order. */
  symbols: readonly string[];
  text: string;
}

/** Tried with 40, 60 and 100: longer ones blur, shorter ones lose the company of words. */
const MAX_LINES = 60;
/** A definition begins a new piece only when the present one has some weight of its own. */
const MIN_LINES = 15;
/** Deeper ones are details of what stands around them. */
const MAX_INDENT = 8;
/** What belongs to the definition that follows: comments, decorators, attributes. */
const ABOVE = /^\s*(?:\/\/|\/?\*|#|@|"""|--|\[|<!--|;|%)/;

export function cut(path: string, text: string): Chunk[] {
  const language = languageOf(path);
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const chunks: Chunk[] = [];
  let start = 0;
  let symbols: string[] = [];
  const close = (end: number): void => {
    if (end <= start) return;
    chunks.push({ from: start + 1, to: end, symbols, text: lines.slice(start, end).join("\n") });
    start = end;
    symbols = [];
  };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const symbol = language === null ? null : definitionIn(line, language);
    const heading = language === null && /^#{1,4}\s|^[=~^-]{4,}$/.test(line);
    if ((symbol !== null || heading) && indent(line) <= MAX_INDENT) {
      const above = at - start >= MIN_LINES ? firstAbove(lines, at, start) : start;
      if (above - start >= MIN_LINES) close(above);
    }
    if (at - start >= MAX_LINES) close(lastBreak(lines, start, at));
    if (symbol !== null) symbols.push(symbol);
  }
  close(lines.length);
  return chunks;
}

function indent(line: string): number {
  let width = 0;
  for (const character of line) {
    if (character === " ") width += 1;
    else if (character === "\t") width += 4;
    else break;
  }
  return width;
}

function firstAbove(lines: readonly string[], at: number, start: number): number {
  let first = at;
  while (first > start && ABOVE.test(lines[first - 1]!)) first -= 1;
  return first;
}

/** An empty line in the second half, if there is one. */
function lastBreak(lines: readonly string[], start: number, end: number): number {
  for (let at = end; at > start + MAX_LINES / 2; at--) if (lines[at - 1]!.trim() === "") return at;
  return end;
}
