/** Keeps the head and the tail of a text that is too long, and says how much is missing between them. */

export interface Cut {
  text: string;
  /** Characters left out; 0 when all is there. */
  missing: number;
}

/** At most `limit` characters of the text, half from each end, cut at line ends where one is near. */
export function cutMiddle(text: string, limit: number): Cut {
  if (text.length <= limit) return { text, missing: 0 };
  const half = Math.floor(limit / 2);
  const head = text.slice(0, endOfHead(text, half));
  const tail = text.slice(startOfTail(text, text.length - half));
  const missing = text.length - head.length - tail.length;
  return { text: joinCut(head, tail, `${missing} characters`), missing };
}

/** Head and tail with a line between them that says what is not shown. */
export function joinCut(head: string, tail: string, missing: string): string {
  return `${head.replace(/\n$/, "")}\n[... ${missing} left out here ...]\n${tail.replace(/^\n/, "")}`;
}

/** How far a cut may move to fall on a line end: further would lose too much. */
const NEAR = 200;

function endOfHead(text: string, at: number): number {
  const line = text.lastIndexOf("\n", at);
  return line > at - NEAR && line > 0 ? line + 1 : wholeCharacter(text, at);
}

function startOfTail(text: string, at: number): number {
  const line = text.indexOf("\n", at);
  return line !== -1 && line < at + NEAR ? line + 1 : wholeCharacter(text, at);
}

/** Not between the halves of a character: half a character makes a request invalid. */
function wholeCharacter(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at + 1 : at;
}
