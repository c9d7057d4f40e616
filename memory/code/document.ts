/** What the store keeps of a file and of a commit. */
import type { CommitRecord } from "../../domain/memory-ports.ts";
import { headOf } from "../../domain/text.ts";
import type { Group, Point, SparseVector } from "../store/store.ts";
import { hashOf, saturate, vectorOf, type Saturation } from "../text/vector.ts";
import { copyOf, MAX_TOKEN_CHARACTERS, TOKEN, wordsOf } from "../text/words.ts";
import { cut, type Chunk } from "./chunks.ts";
import { kindOf } from "./file-kind.ts";
import { languageOf } from "./languages.ts";
import { withoutTrailers } from "./query.ts";

/** Part of each tag: a change of what is kept writes everything anew. */
export const FORMAT = 5;

export const filePrefix = "file:";
export const commitPrefix = "commit:";
/** What the history says of a file, apart from the file: it changes when the file does not, and the other way round. */
export const toldPrefix = "told:";

/** Of the vectors; a point is found through each that it has. */
export const VECTORS = {
  chunk: "chunk",
  file: "file",
  path: "path",
  symbols: "symbols",
  commit: "commit",
  told: "told",
} as const;

export type ChunkPayload = { from: number; to: number; symbols: string[] };
export type CommitPayload = { files: string[]; atSeconds: number; subject: string };

const CHUNK: Saturation = { k1: 1.2, b: 0.6, usualLength: 250 };
const FILE: Saturation = { k1: 0.5, b: 0.3, usualLength: 1_500 };
const MESSAGE: Saturation = { k1: 1.2, b: 0.5, usualLength: 40 };

/** A definition counts as if its name were written this many times more. */
const SYMBOL_WEIGHT = 2;
/** Above it a file is data, or generated. */
export const MAX_CODE_BYTES = 1_500_000;
export const MAX_TEXT_BYTES = 100_000;
/** A commit that touches more tells nothing about any of them. */
const MAX_COMMIT_FILES = 30;

/** Whether the content of a file is worth reading; all are found by their path. */
export function isRead(path: string, bytes: number): boolean {
  const kind = kindOf(path);
  if (kind === "generated" || kind === "vendored") return false;
  if (languageOf(path) !== null) return bytes <= MAX_CODE_BYTES;
  return bytes <= MAX_TEXT_BYTES && kind !== "test" && TEXT.test(path);
}

const TEXT =
  /\.(?:md|mdx|rst|txt|adoc|ya?ml|toml|ini|cfg|conf|json|xml|properties|in)$|(?:^|\/)(?:[A-Z]+|Makefile|Dockerfile|Rakefile|Gemfile)$/;

/** `content` is null where it was not read. */
export function fileGroup(path: string, tag: string, content: Uint8Array | null): Group {
  const text = content === null || isBinary(content) ? "" : new TextDecoder().decode(content);
  const chunks = text === "" ? [] : cut(path, text);
  const whole = new Map<number, number>();
  let wholeLength = 0;
  const parts: Point[] = [];
  const symbols = new Map<number, number>();
  for (const chunk of chunks) {
    const { counts, length } = countChunk(chunk);
    for (const [word, count] of counts) whole.set(word, (whole.get(word) ?? 0) + count);
    wholeLength += length;
    for (const symbol of chunk.symbols) symbols.set(symbolHash(symbol), 1);
    const payload: ChunkPayload = { from: chunk.from, to: chunk.to, symbols: [...new Set(chunk.symbols)].slice(0, 12) };
    parts.push({ payload, vectors: { [VECTORS.chunk]: saturate(counts, length, CHUNK) } });
  }
  const first: Point = {
    payload: { lines: chunks.at(-1)?.to ?? 0 },
    vectors: {
      [VECTORS.path]: pathVector(path),
      ...(wholeLength > 0 ? { [VECTORS.file]: saturate(whole, wholeLength, FILE) } : {}),
      ...(symbols.size > 0 ? { [VECTORS.symbols]: vectorOf(symbols) } : {}),
    },
  };
  return { name: filePrefix + path, tag, points: [first, ...parts] };
}

export function commitGroup({ hash, atSeconds, message, files }: CommitRecord, tag: string): Group {
  const text = withoutTrailers(message);
  const subject = text.split("\n", 1)[0]!.trim();
  const counts = new Map<number, number>();
  const length = countText(text, counts, 1) + countText(subject, counts, 1);
  const told = files.length <= MAX_COMMIT_FILES;
  const payload: CommitPayload = { files: told ? [...files] : [], atSeconds, subject: headOf(subject, 120) };
  return {
    name: commitPrefix + hash,
    tag,
    points: [
      { payload, vectors: told && counts.size > 0 ? { [VECTORS.commit]: saturate(counts, length, MESSAGE) } : {} },
    ],
  };
}

/** A symbol is looked for exactly as it is written, case and all. */
export function symbolHash(name: string): number {
  return hashOf(`=${name}`);
}

function countChunk(chunk: Chunk): { counts: Map<number, number>; length: number } {
  const counts = new Map<number, number>();
  const length = countText(chunk.text, counts, 1);
  for (const symbol of chunk.symbols) countText(symbol, counts, SYMBOL_WEIGHT);
  return { counts, length };
}

/** Returns how many words there were. */
export function countText(text: string, counts: Map<number, number>, weight: number): number {
  let length = 0;
  for (const [token] of text.matchAll(TOKEN)) {
    const hashes = hashesOf(token);
    for (const hash of hashes) counts.set(hash, (counts.get(hash) ?? 0) + weight);
    length += 1;
  }
  return length;
}

const hashed = new Map<string, readonly number[]>();
const MAX_HASHED = 400_000;

function hashesOf(token: string): readonly number[] {
  const found = hashed.get(token);
  if (found !== undefined) return found;
  if (token.length > MAX_TOKEN_CHARACTERS) return [];
  if (hashed.size >= MAX_HASHED) hashed.clear();
  const { parts, joined } = wordsOf(token);
  const hashes = [...parts, ...joined].map(hashOf);
  hashed.set(copyOf(token), hashes);
  return hashes;
}

/** The name tells more than the folders, and the last folder more than those above it. */
function pathVector(path: string): SparseVector {
  const counts = new Map<number, number>();
  const parts = path.split("/");
  const name = parts.pop()!;
  const add = (text: string, weight: number): void => {
    for (const [token] of text.matchAll(TOKEN))
      for (const hash of hashesOf(token)) counts.set(hash, Math.max(counts.get(hash) ?? 0, weight));
  };
  parts.reverse().forEach((folder, above) => add(folder, above === 0 ? 0.7 : 0.4));
  const stem = name.replace(/\.\w+$/, "");
  add(stem, 1);
  // `date-parser` is also spoken of as dateparser.
  const tokens = stem.match(/[A-Za-z0-9]+/g) ?? [];
  if (tokens.length > 1) {
    for (let at = 0; at + 1 < tokens.length; at++) add(tokens[at]! + tokens[at + 1]!, 1);
    add(tokens.join(""), 1);
  }
  return vectorOf(counts);
}

/** As Git decides it: a NUL within the first 8,000 bytes. */
function isBinary(content: Uint8Array): boolean {
  return content.subarray(0, 8_000).includes(0);
}
