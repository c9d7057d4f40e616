/** What is remembered between runs, as few methods as we use: of code, of issues. The adapters stand in `memory/`. */
import type { Departure, Memory, MemoryKind, MemoryScope, Taught } from "./memory.ts";

/** A repository on this machine, as it is read to be remembered. Nothing of its own configuration is run. */
export interface SourceRepository {
  /** The hash of a commit, from a hash, a branch or `HEAD`. Throws NotFound. */
  resolve(revision: string, signal: AbortSignal): Promise<string>;
  /** Its regular files: path -> hash of the content. */
  tree(commit: string, signal: AbortSignal): Promise<Map<string, string>>;
  sizes(blobs: readonly string[], signal: AbortSignal): Promise<Map<string, number>>;
  contents(blobs: readonly string[], signal: AbortSignal): Promise<Map<string, Uint8Array>>;
  /** Hashes of the commit and of those before it, newest first, without merges. */
  history(commit: string, limit: number, signal: AbortSignal): Promise<string[]>;
  commits(hashes: readonly string[], signal: AbortSignal): Promise<CommitRecord[]>;
}

export interface CommitRecord {
  hash: string;
  atSeconds: number;
  message: string;
  /** Paths that it changed. */
  files: readonly string[];
}

export type { MemoryScope } from "./memory.ts";

/** Where in a repository something is. Scopes never see each other. */
export interface CodeIndex {
  /** Brings the index to a commit; reads and writes only what changed since the last. Safe to repeat and to interrupt. */
  index(
    scope: MemoryScope,
    source: SourceRepository,
    revision: string,
    options: { signal: AbortSignal; onProgress?: (progress: IndexProgress) => void },
  ): Promise<IndexReport>;
  /** The files that a text is about, best first. Throws NotFound where nothing is indexed. */
  search(scope: MemoryScope, text: string, options: { limit: number } & Asking): Promise<CodeHit[]>;
  /** The commit that it was brought to last; null: none yet. */
  indexed(scope: MemoryScope, signal: AbortSignal): Promise<string | null>;
  /** Forgets a repository. */
  remove(scope: MemoryScope, signal: AbortSignal): Promise<void>;
  /** The repositories of GitHub that are indexed, or were begun to be. */
  scopes(signal: AbortSignal): Promise<MemoryScope[]>;
}

export interface Asking {
  signal: AbortSignal;
  /** Told when the answer had to do with less than it should, such as words without embeddings. */
  note?: (text: string) => void;
}

export interface IndexProgress {
  step: "files" | "history";
  done: number;
  total: number;
}

export interface IndexReport {
  commit: string;
  /** All regular files of the commit, and how many of them were written or taken away now. */
  files: number;
  changed: number;
  removed: number;
  /** Commits remembered, and how many of them are new. */
  commits: number;
  newCommits: number;
  /** Nothing at all had to be done. */
  unchanged: boolean;
  /** Why the embeddings service made no vectors for some of it, which the next index asks again for. */
  lacking?: string;
}

export interface CodeHit {
  path: string;
  /** Comparable within one answer only. */
  score: number;
  /** Of the piece that fits best, counted from 1, both included. */
  lines: [from: number, to: number];
  why: string[];
  /** What each signal added to the score. */
  parts: { signal: string; points: number }[];
}

/** What was learnt and taught about a repository. Scopes never see each other. */
export interface Experience {
  /** Stores what is not there yet, replaces what has the same id, and reads back that it is there. */
  store(scope: MemoryScope, memories: readonly Memory[], signal: AbortSignal): Promise<Stored>;
  /** Gives vectors to what has none of today's embeddings model: it was away, or another one. Nothing to do where there is none. */
  embedRest(scope: MemoryScope, signal: AbortSignal): Promise<{ embedded: number } & Stored>;
  /**
   * What somebody says, as a memory that can be stored, without the secrets that it quotes: what is made here may be shown and handed on at
   * once. The same words of the same person are the same memory.
   */
  taught(said: { text: string; by: string; issue: number | null; at: string }): Taught;
  /** The newest first. */
  list(scope: MemoryScope, which: MemoryFilter, signal: AbortSignal): Promise<Memory[]>;
  /**
   * The memories that are most like a text, best first. `score` is calibrated: from 0 to 1, and it means the same on every store, with or
   * without embeddings (`memory/README.md` tells how). Those below `threshold` are left out.
   */
  search(
    scope: MemoryScope,
    text: string,
    options: { kinds?: readonly MemoryKind[]; limit: number; threshold?: number } & Asking,
  ): Promise<Recalled[]>;
  /**
   * Takes memories away; tells the ids of those that were there. An empty filter forgets all of the repository's, and what began before
   * is not to be stored any more.
   */
  forget(scope: MemoryScope, which: MemoryFilter, signal: AbortSignal): Promise<string[]>;
  /** The repositories that have any. */
  scopes(signal: AbortSignal): Promise<MemoryScope[]>;
  /** Notes that a repository has left its name, or an account all names of its own (`to` is the account then). The latest counts. */
  leave(name: MemoryScope | { tenant: string }, departure: Departure, signal: AbortSignal): Promise<void>;
  /** null: nobody ever left this name. */
  departure(scope: MemoryScope, signal: AbortSignal): Promise<Departure | null>;
}

export interface Stored {
  /** Why some of it is found by words alone for now; null: nothing is lacking. */
  lacking: string | null;
}

/** All that is named must fit. */
export interface MemoryFilter {
  id?: string;
  ids?: readonly string[];
  issue?: number;
  kinds?: readonly MemoryKind[];
}

export interface Recalled<Kind extends Memory = Memory> {
  memory: Kind;
  score: number;
}

/** What is remembered between runs. Each call throws what its store throws: a run goes on without it. */
export interface MemoryPort {
  code: CodeIndex;
  experience: Experience;
  close(): Promise<void>;
}
