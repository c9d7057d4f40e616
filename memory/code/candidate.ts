/** A file that may be the answer, and what speaks for it. */
import type { Hit } from "../store/store.ts";
import type { FileKind } from "./file-kind.ts";
import type { File } from "./files.ts";

export const SIGNALS = [
  /** The best pieces for the title, for all of the text, and for its sentences one by one. */
  "chunkTitle",
  "chunkAll",
  "lines",
  /** The whole file for the title and for all of the text. */
  "fileTitle",
  "fileAll",
  "pathTitle",
  "pathAll",
  /** It defines a name of the text; a piece or the file has such names in it. */
  "symbols",
  "nameChunk",
  "nameFile",
  /** Its path fits the part that the title names: `fix(parser): ...`. */
  "scope",
  /** The text names its path. */
  "mention",
  /** Earlier commits with a similar text changed it: all, by the title alone, the most similar one. */
  "history",
  "historyTitle",
  "historyMax",
  /** The subjects of all commits that changed it. */
  "told",
  "toldTitle",
  /** A test of its name fits. */
  "tested",
  /** Nearness of meaning, where embeddings are configured. */
  "dense",
] as const;
export type Signal = (typeof SIGNALS)[number];

export interface Candidate {
  file: File;
  path: string;
  kind: FileKind;
  signals: Record<Signal, number>;
  /** The piece that fits best, if any of its content did. */
  chunk: Hit | null;
  /** Of the earlier commit that is most alike and changed it. */
  subject: string | null;
}

/** The candidate of this file, made when it is first spoken of. */
export type CandidateOf = (file: File) => Candidate;

/** Nothing speaks for it yet. */
export function candidateOf(file: File): Candidate {
  return { file, path: file.path, kind: file.kind, signals: { ...SILENT }, chunk: null, subject: null };
}

const SILENT = Object.fromEntries(SIGNALS.map((name) => [name, 0])) as Readonly<Record<Signal, number>>;
