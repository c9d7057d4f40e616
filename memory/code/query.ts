/** Reads an issue, or a fix's message, for what points at code: its words, names, paths, traces, and the part that it is about. */
import { isStopped, STOP_WORDS } from "../text/stop-words.ts";
import { TOKEN, wordsOf } from "../text/words.ts";

export interface ParsedQuery {
  /** Word -> how much it counts. */
  title: ReadonlyMap<string, number>;
  all: ReadonlyMap<string, number>;
  /** Sentences and list entries, each by itself: a change of several files often has one for each. */
  sentences: readonly ReadonlyMap<string, number>[];
  /** Names written as in code, exactly. */
  names: ReadonlySet<string>;
  /** Paths and file names, without a leading `./`; lines where they were given. */
  paths: readonly { path: string; line: number | null }[];
  /** `fix(scope): ...`, `scope: ...`, `[scope] ...`: people's own word for where it is. */
  scope: ReadonlySet<string>;
}

/** An issue or a message may quote a whole log; its first pages say what it is about. */
const MAX_CHARACTERS = 20_000;
/** Neighbouring words of prose may be one name in code: "dark mode" and darkMode. */
const JOINED_WEIGHT = 0.5;

export function parseQuery(raw: string): ParsedQuery {
  const text = withoutTrailers(raw);
  const lines = text.split("\n");
  const first = lines.findIndex((line) => line.trim() !== "");
  const title = (lines[first] ?? "").slice(0, 300);
  const { scope, rest } = scopeOf(title);
  const plain = text.replace(URL, " ");
  const titleWords = weigh(`${scope} ${rest}`.replace(URL, " "));
  return {
    title: titleWords,
    all: weigh(plain),
    sentences: plain
      .split(/\n\s*(?:[-*+]|\d+[.)])\s|\n\s*\n|(?<=[.!?;])\s+(?=[A-Z])/)
      .filter((sentence) => sentence.trim().split(/\s+/).length >= 4)
      .slice(0, 8)
      .map(weigh),
    names: namesIn(plain),
    paths: pathsIn(plain),
    scope: new Set(
      [...scope.matchAll(TOKEN)].flatMap(([token]) => [...wordsOf(token).parts, ...wordsOf(token).joined]),
    ),
  };
}

const URL = /\bhttps?:\/\/[^\s)>\]]+/g;
const TRAILER =
  /^[ \t]*(?:(?:[a-z]+-){1,3}(?:by|id|on|url|issue|number):|cc:|git-svn-id:|\(cherry[- ]picked from|(?:refs?|see|closes|fixes)[: ]+(?:[\w.-]+\/[\w.-]+)?#\d).*$/gim;

/** The beginning of a message, without the lines that programs put there. */
export function withoutTrailers(message: string): string {
  return message
    .slice(0, MAX_CHARACTERS)
    .replace(TRAILER, "")
    .replace(/<!--(?:(?!<!--)[\s\S])*?-->/g, " ")
    .replace(/^-{3,}\s*$/gm, "");
}

function scopeOf(title: string): { scope: string; rest: string } {
  const match =
    /^\s*[a-z]+\(([^)]{1,60})\)!?:\s*(.*)$/i.exec(title) ??
    /^\s*\[([^\]]{1,40})\]:?\s*(.*)$/.exec(title) ??
    /^\s*([\w./*-]{2,40}(?:,\s?[\w./*-]{2,40}){0,3}):\s+(.*)$/.exec(title);
  return match ? { scope: match[1]!, rest: match[2]! } : { scope: "", rest: title };
}

/** Repetition counts, ever less: a word that stands ten times is not ten times as telling. */
function weigh(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (word: string, count: number): void => {
    counts.set(word, (counts.get(word) ?? 0) + count);
  };
  let before: { token: string; end: number } | null = null;
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0];
    const lower = token.toLowerCase();
    const { parts, joined } = wordsOf(token);
    const isPlain = parts.length <= 1 && joined.length === 0;
    const stopped = isPlain && (STOP_WORDS.has(lower) || (parts[0] !== undefined && isStopped(parts[0])));
    if (!stopped) {
      for (const part of parts) if (isPlain || !isStopped(part)) add(part, 1);
      for (const part of joined) add(part, 1);
    }
    const adjacent = before !== null && /^[ _./:-]{1,2}$/.test(text.slice(before.end, match.index));
    if (adjacent && /^[A-Za-z]+$/.test(token) && /^[A-Za-z]+$/.test(before!.token)) {
      const together = wordsOf(before!.token.toLowerCase() + lower).parts[0];
      if (together !== undefined) add(together, JOINED_WEIGHT);
    }
    before = stopped && isPlain && lower.length < 3 ? null : { token, end: match.index + token.length };
  }
  for (const [word, count] of counts) counts.set(word, (2 * count) / (count + 1));
  return counts;
}

/** Written with a hump, an underscore or digits, called, or between backticks. */
function namesIn(text: string): Set<string> {
  const names = new Set<string>();
  for (const [name] of text.matchAll(
    /[A-Za-z_$][\w$]{0,80}[a-z0-9][A-Z_][\w$]*|[A-Z][a-z]+[A-Z][\w$]*|\b_+[a-z]\w+|\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|\b[a-z]+\d+\w*\b/g,
  ))
    names.add(name);
  for (const [, name] of text.matchAll(/\b([A-Za-z_]\w{2,})\(/g)) names.add(name!);
  for (const [, quoted] of text.matchAll(/[`'"]([^`'"\n]{2,120})[`'"]/g))
    if (/^[\w$.:#/@()<>,\s-]+$/.test(quoted!))
      for (const [name] of quoted!.matchAll(/[A-Za-z_$][\w$]*[?!]?/g)) names.add(name);
  for (const [dotted] of text.matchAll(/\b[A-Za-z_]\w+(?:(?:\.|::|#|->)[A-Za-z_]\w+)+/g))
    for (const name of dotted.split(/\.|::|#|->/)) names.add(name);
  for (const name of names) if (STOP_WORDS.has(name.toLowerCase()) || name.length < 3) names.delete(name);
  return names;
}

const ENDINGS =
  "py|pyx|pyi|js|jsx|ts|tsx|mjs|cjs|mts|cts|vue|svelte|go|rs|java|kt|kts|scala|groovy|cs|c|h|cc|cpp|cxx|hpp|hh|hxx|m|mm|rb|rake|erb|php|swift|dart|lua|ex|exs|sh|css|scss|less|html|sql|proto|ya?ml|toml|json|md|rst|inc|tcl|y|l";
/** Bounded in every part, and begun only where a part begins: an endless run of letters, dots or slashes is gone through once. */
const PATH = new RegExp(
  `(?<![\\w@.+-])(?:[\\w@.+-]{1,200}[/\\\\]){0,40}[\\w@.+-]{1,200}\\.(?:${ENDINGS})\\b(?:(?:", line |[:(]|#L)(\\d+))?`,
  "g",
);

function pathsIn(text: string): { path: string; line: number | null }[] {
  const found = new Map<string, { path: string; line: number | null }>();
  for (const match of text.matchAll(PATH)) {
    const path = match[0]
      .replace(/(?:", line |[:(]|#L)\d+$/, "")
      .replaceAll("\\", "/")
      .replace(/^(?:\.{1,2}\/)+/, "");
    if (!found.has(path)) found.set(path, { path, line: match[1] === undefined ? null : Number(match[1]) });
  }
  // a.b.C.method, a::b::c, src/lib without an ending: a path with other signs between its parts.
  for (const [dotted] of text.matchAll(/\b[A-Za-z_]\w*(?:(?:\.|::|\\|\/)[A-Za-z_][\w-]*){1,40}/g)) {
    const path = dotted.replace(/::|\.|\\/g, "/");
    if (!found.has(path) && !found.has(dotted)) found.set(path, { path, line: null });
  }
  return [...found.values()].slice(0, 60);
}
