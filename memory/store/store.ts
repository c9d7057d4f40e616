import type { MemoryScope } from "../../domain/memory-ports.ts";

/**
 * What the memory asks of a store: groups of points with sparse vectors, apart by tenant and repository. One ranking stands
 * above it; both stores pass `test/memory/contract.ts`.
 */
export interface PointStore {
  /** `embedded` or `qdrant`, for people. */
  readonly kind: string;
  /** The names of all groups that begin with `prefix`, each with its tag. */
  groups(scope: Scope, prefix: string, signal: AbortSignal): Promise<Map<string, string>>;
  /** The names alone, which is quicker. */
  names(scope: Scope, prefix: string, signal: AbortSignal): Promise<string[]>;
  /** The payload of the first point of each such group. */
  payloads(scope: Scope, prefix: string, signal: AbortSignal): Promise<Map<string, Json>>;
  /** Replaces the groups in `put` and takes away those in `remove`. Safe to repeat; a group counts as stored when all of it is. */
  write(scope: Scope, change: Change, signal: AbortSignal): Promise<void>;
  /** Called after a series of writes: the next process finds what it searches ready made. Nothing that is told depends on it. */
  optimize(scope: Scope, signal: AbortSignal): Promise<void>;
  /** The best points of each query, best first. One answer for each query, in their order. */
  search(scope: Scope, queries: readonly Query[], signal: AbortSignal): Promise<Hit[][]>;
  /** A small document about the repository itself, such as which commit is indexed. */
  note(scope: Scope, signal: AbortSignal): Promise<Json | null>;
  setNote(scope: Scope, note: Json, signal: AbortSignal): Promise<void>;
  /** Takes away everything of a repository, its note too. */
  forget(scope: Scope, signal: AbortSignal): Promise<void>;
  /** The scopes that have a note. */
  scopes(signal: AbortSignal): Promise<Scope[]>;
  /** Bytes on disk of everything; null where the store cannot tell. */
  bytes(): Promise<number | null>;
  close(): Promise<void>;
}

/** Nothing is ever found, changed or counted across two of these. */
export type Scope = MemoryScope;

/** What is replaced as one: a file with its parts, a commit, a memory. */
export interface Group {
  name: string;
  /** What it was made from, such as a blob's hash: the same tag needs no new writing. */
  tag: string;
  points: readonly Point[];
}

export interface Point {
  payload: Json;
  vectors: Readonly<Record<string, SparseVector>>;
  /** A dense vector, of one length in the whole store. */
  dense?: Float32Array;
}

export interface SparseVector {
  /** Ascending, each once. */
  indices: Uint32Array;
  values: Float32Array;
}

export interface Change {
  put: readonly Group[];
  remove: readonly string[];
}

export type Query = { vector: string; terms: SparseVector; limit: number } | { dense: Float32Array; limit: number };

export interface Hit {
  group: string;
  /** Its place within the group. */
  point: number;
  /** Sparse: the sum over shared words of query weight x rarity x stored weight. Dense: the cosine. */
  score: number;
  payload: Json;
}

export type Json = { readonly [name: string]: unknown };

/** How rare a word is among `total` points of which `having` have it; as Qdrant computes it. */
export function rarity(total: number, having: number): number {
  return Math.log(1 + (total - having + 0.5) / (having + 0.5));
}
