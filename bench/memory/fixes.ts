/** Fixes of a repository's own history, as questions with known answers. */
import { kindOf } from "../../memory/code/file-kind.ts";
import { withoutTrailers } from "../../memory/code/query.ts";
import type { SourceRepository } from "../../domain/memory-ports.ts";

export interface Fix {
  hash: string;
  query: string;
  /** Source files that it changed and that its parent has. */
  answers: string[];
}

const FIX =
  /\b(?:fix(?:e[sd])?|bug|crash(?:e[sd])?|regression|incorrect|broken|leak|wrong|fail(?:s|ed|ure)?|resolve[sd]?|prevent)\b/i;
const NOT_A_FIX =
  /^(?:(?:chore|docs?|test|tests|ci|build|style|release)\b|merge\b|revert\b|bump\b|.*\b(?:typos?|changelog|lint|readme|flaky|ci)\b)/i;
/** A change of more files is no fix that a message could point to. */
const MAX_ANSWERS = 6;
const LOOK_BACK = 3_000;

export interface Choice {
  /** At most so many. */
  count: number;
  /** Messages of fewer words are passed over: with three of them there is nothing to search. */
  minWords: number;
}

/** The newest that fit, oldest first. */
export async function fixesOf(
  source: SourceRepository,
  commit: string,
  { count, minWords }: Choice,
  signal: AbortSignal,
): Promise<Fix[]> {
  const fixes: Fix[] = [];
  const hashes = await source.history(commit, LOOK_BACK, signal);
  for (let at = 0; at < hashes.length && fixes.length < count; at += 200) {
    for (const { hash, message, files } of await source.commits(hashes.slice(at, at + 200), signal)) {
      const query = withoutTrailers(message).trim();
      const subject = query.split("\n", 1)[0]!;
      if (!FIX.test(subject) || NOT_A_FIX.test(subject) || query.split(/\s+/).length < minWords) continue;
      const sources = files.filter((path) => kindOf(path) === "source");
      if (sources.length === 0 || sources.length > MAX_ANSWERS || files.length > 30) continue;
      const parent = await source.resolve(`${hash}~1`, signal).catch(() => null);
      if (parent === null) continue;
      const tree = await source.tree(parent, signal);
      const answers = sources.filter((path) => tree.has(path));
      if (answers.length > 0 && fixes.length < count) fixes.push({ hash, query, answers });
    }
  }
  return fixes.reverse();
}
