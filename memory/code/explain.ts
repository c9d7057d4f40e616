/** Tells people why a file was found. */
import type { CodeHit } from "../../domain/memory-ports.ts";
import { TOKEN, wordsOf } from "../text/words.ts";
import type { ChunkPayload } from "./document.ts";
import type { ParsedQuery } from "./query.ts";
import type { Ranked, Ranking } from "./rank.ts";
import type { Signal } from "./candidate.ts";

export function explain(
  { candidate, score, gained }: Ranked,
  partsOf: Ranking["partsOf"],
  query: ParsedQuery,
): CodeHit {
  const { path, chunk: hit, subject } = candidate;
  const chunk = hit === null ? null : (hit.payload as ChunkPayload);
  const parts: { signal: Part; points: number }[] = [...partsOf(candidate)];
  if (gained > 0) parts.push({ signal: "companions", points: gained });
  const strongest = parts.toSorted((a, b) => b.points - a.points);
  const why = strongest.slice(0, 4).flatMap(({ signal }) => REASONS[signal]({ path, chunk, subject, query }) ?? []);
  return {
    path,
    score: rounded(score),
    lines: [chunk?.from ?? 1, chunk?.to ?? 1],
    why: [...new Set(why)],
    parts: strongest.map(({ signal, points }) => ({ signal, points: rounded(points) })),
  };
}

type Part = Signal | "companions";

interface Known {
  path: string;
  subject: string | null;
  chunk: ChunkPayload | null;
  query: ParsedQuery;
}

const inContent = ({ chunk }: Known): string | null =>
  chunk === null
    ? null
    : `its lines ${chunk.from}-${chunk.to} fit best${chunk.symbols.length > 0 ? ` (${chunk.symbols.slice(0, 3).join(", ")})` : ""}`;
const inFile = (): string => "the words stand in this file";
const inPath = ({ path, query }: Known): string | null => {
  const wanted = new Set(query.all.keys());
  const shared = new Set<string>();
  for (const [token] of path.matchAll(TOKEN))
    if (wordsOf(token).parts.some((part) => wanted.has(part))) shared.add(token);
  return shared.size > 0 ? `its path says ${[...shared].slice(0, 4).join(", ")}` : null;
};
const inHistory = ({ subject }: Known): string | null =>
  subject === null ? null : `an earlier change like it touched this file: ${subject}`;

const REASONS: Readonly<Record<Part, (known: Known) => string | null>> = {
  chunkTitle: inContent,
  chunkAll: inContent,
  lines: inContent,
  fileTitle: inFile,
  fileAll: inFile,
  pathTitle: inPath,
  pathAll: inPath,
  symbols: ({ chunk, query }) => {
    const defined = chunk?.symbols.filter((symbol) => query.names.has(symbol)) ?? [];
    return defined.length > 0 ? `it defines ${defined.slice(0, 3).join(", ")}` : "it defines a name of the text";
  },
  nameChunk: () => "names of the text stand in it",
  nameFile: () => "names of the text stand in it",
  scope: inPath,
  mention: () => "the text names its path",
  history: inHistory,
  historyTitle: inHistory,
  historyMax: inHistory,
  tested: () => "its test fits the text",
  told: inHistory,
  toldTitle: inHistory,
  dense: () => "its meaning is near",
  companions: () => "earlier changes of files that fit changed it, too",
};

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
