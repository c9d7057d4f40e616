/** JSON from strangers: valid UTF-8, and nested no deeper than anything that reads it later can stand. */

/** GitHub's deepest payloads nest about ten levels. */
export const MAX_DEPTH = 100;

export type ParsedJson = { ok: true; value: unknown } | { ok: false; problem: string };

export function parseJson(bytes: Uint8Array): ParsedJson {
  if (nestsDeeperThan(bytes, MAX_DEPTH)) return { ok: false, problem: `nested deeper than ${MAX_DEPTH} levels` };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // A key named __proto__ becomes an ordinary property here, and no schema asks for it.
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, problem: "not valid JSON" };
    return { ok: false, problem: "not valid UTF-8" };
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Counts brackets outside strings, without parsing: a parser may recurse. */
function nestsDeeperThan(bytes: Uint8Array, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index]!;
    if (inString) {
      if (byte === BACKSLASH) index += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (OPENING.has(byte)) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (CLOSING.has(byte)) depth -= 1;
  }
  return false;
}
