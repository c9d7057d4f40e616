/** Reads the parts of Markdown links that a page does not show: destinations, titles, definitions. */
import type { Finder } from "./finder.ts";

export interface Destination {
  url: string;
  hasTitle: boolean;
  end: number;
}

/** CommonMark gives up on deeper brackets too; it keeps this scan short. */
const MAX_DEPTH = 32;

/** What follows the text of a link, from its `(` on; null when it is no destination. */
export function readDestination(text: string, start: number, finder: Finder): Destination | null {
  if (finder.next(")", start) === -1) return null;
  let at = skipSpace(text, start + 1);
  const url = readUrl(text, at, finder);
  if (url === null) return null;
  at = skipSpace(text, url.end);
  const title = readTitle(text, at, finder);
  if (title !== null) at = skipSpace(text, title);
  return text[at] === ")" ? { url: url.url, hasTitle: title !== null, end: at + 1 } : null;
}

const DEFINITION_START = /(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*\[/y;

/** A definition that begins at this line start: hidden by Markdown wherever it stands. `end` is at the line's end. */
export function readDefinition(
  text: string,
  lineStart: number,
  finder: Finder,
): { kind: "link definition" | "footnote"; end: number } | null {
  DEFINITION_START.lastIndex = lineStart;
  const prefix = DEFINITION_START.exec(text)?.[0];
  if (prefix === undefined) return null;
  const labelStart = lineStart + prefix.length;
  const labelEnd = finder.next("]", labelStart);
  if (labelEnd === -1 || labelEnd - labelStart > 999 || text[labelEnd + 1] !== ":") return null;
  const label = text.slice(labelStart, labelEnd);
  if (label.includes("\n\n") || label.trim() === "") return null;
  if (label.startsWith("^"))
    return { kind: "footnote", end: endOfIndented(text, endOfLine(text, labelEnd, finder), finder) };
  const target = skipSpace(text, labelEnd + 2);
  const url = readUrl(text, target, finder);
  if (url === null) return null;
  const sameLine = endOfLine(text, url.end, finder);
  const title = readTitle(text, skipSpace(text, url.end), finder);
  if (title !== null && text.slice(title, endOfLine(text, title, finder)).trim() === "") {
    return { kind: "link definition", end: endOfLine(text, title, finder) };
  }
  // `[ERROR]: cannot open` is text that people see; `[//]: # words` is what people write who want to hide words.
  const wellFormed = text.slice(url.end, sameLine).trim() === "";
  const commentLike = /^(?:\/\/|comment|_|#)?$/i.test(label.trim()) || url.url === "#" || url.url === "";
  return wellFormed || commentLike ? { kind: "link definition", end: sameLine } : null;
}

function readUrl(text: string, start: number, finder: Finder): { url: string; end: number } | null {
  if (text[start] === "<") {
    const close = finder.next(">", start);
    const line = finder.next("\n", start);
    if (close === -1 || (line !== -1 && line < close)) return null;
    return { url: text.slice(start + 1, close), end: close + 1 };
  }
  let depth = 0;
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at]!;
    if (character <= " ") break;
    if (character === "\\") at++;
    else if (character === "(" && ++depth > MAX_DEPTH) return null;
    else if (character === ")" && --depth < 0) break;
  }
  at = Math.min(at, text.length);
  return { url: text.slice(start, at), end: at };
}

/** Just after a title that begins at `start`; null when there is none. A title holds no blank line. */
function readTitle(text: string, start: number, finder: Finder): number | null {
  const open = text[start];
  const closer = open === "(" ? ")" : open;
  if (closer !== '"' && closer !== "'" && closer !== ")") return null;
  if (open === ")") return null;
  const close = finder.next(closer, start + 1);
  if (close === -1) return null;
  const blank = finder.next("\n\n", start);
  return blank !== -1 && blank < close ? null : close + 1;
}

/** Past blanks and at most one line break. */
function skipSpace(text: string, start: number): number {
  let at = start;
  let breaks = 0;
  while (text[at] === " " || text[at] === "\t" || (text[at] === "\n" && breaks++ === 0)) at++;
  return at;
}

function endOfLine(text: string, from: number, finder: Finder): number {
  const end = finder.next("\n", from);
  return end === -1 ? text.length : end;
}

/** A footnote goes on as long as its lines are indented. */
function endOfIndented(text: string, lineEnd: number, finder: Finder): number {
  let end = lineEnd;
  while (end < text.length && /^\n(?: {2,}|\t)\S/.test(text.slice(end, end + 8)))
    end = endOfLine(text, end + 1, finder);
  return end;
}
