/** Brings what the store holds of a repository to a commit: reads and writes only what differs, in batches. */
import type { IndexProgress, IndexReport, SourceRepository } from "../../domain/ports.ts";
import type { Group, PointStore, Scope } from "../store/store.ts";
import { commitGroup, commitPrefix, fileGroup, filePrefix, FORMAT, isRead, MAX_CODE_BYTES } from "./document.ts";

export interface IndexInput {
  store: PointStore;
  source: SourceRepository;
  scope: Scope;
  /** A hash, a branch or `HEAD`. */
  revision: string;
  signal: AbortSignal;
  onProgress?: (progress: IndexProgress) => void;
  /** Adds dense vectors, where embeddings are configured. */
  embed?: (groups: Group[], contents: ReadonlyMap<string, string>, signal: AbortSignal) => Promise<Group[]>;
}

/** Enough for what people still speak of; older fixes speak of other files. */
export const MAX_HISTORY = 3_000;
/** A batch is what a kill loses, and what is held in memory. */
const BATCH_FILES = 200;
const BATCH_BYTES = 16 * 2 ** 20;
const BATCH_COMMITS = 500;

export async function indexRepository(input: IndexInput): Promise<IndexReport> {
  const { store, source, scope, signal } = input;
  const commit = await source.resolve(input.revision, signal);
  const note = (await store.note(scope, signal)) as IndexNote | null;
  if (note?.format === FORMAT && note.commit === commit) {
    return { commit, files: note.files, changed: 0, removed: 0, commits: note.commits, newCommits: 0, unchanged: true };
  }
  const files = await indexFiles(input, commit);
  const history = await indexHistory(input, commit);
  const result = { commit, ...files, ...history, unchanged: false };
  const written: IndexNote = { format: FORMAT, commit, files: files.files, commits: history.commits };
  await store.setNote(scope, { ...written }, signal);
  return result;
}

export interface IndexNote {
  format: number;
  commit: string;
  files: number;
  commits: number;
}

async function indexFiles(
  { store, source, scope, signal, onProgress, embed }: IndexInput,
  commit: string,
): Promise<Pick<IndexReport, "files" | "changed" | "removed">> {
  const tree = await source.tree(commit, signal);
  const stored = await store.groups(scope, filePrefix, signal);
  const wanted = [...tree].filter(([path, blob]) => stored.get(filePrefix + path) !== tagOf(blob));
  const gone = [...stored.keys()].filter((name) => !tree.has(name.slice(filePrefix.length)));
  if (gone.length > 0) await store.write(scope, { put: [], remove: gone }, signal);
  const sizes =
    wanted.length > 0 ? await source.sizes([...new Set(wanted.map(([, blob]) => blob))], signal) : new Map();
  let done = 0;
  for (const batch of batches(wanted, (blob) => Math.min(sizes.get(blob) ?? 0, MAX_CODE_BYTES))) {
    const read = batch.filter(([path, blob]) => isRead(path, sizes.get(blob) ?? 0));
    const contents = await source.contents([...new Set(read.map(([, blob]) => blob))], signal);
    const reading = new Set(read.map(([path]) => path));
    let put = batch.map(([path, blob]) =>
      fileGroup(path, tagOf(blob), reading.has(path) ? (contents.get(blob) ?? null) : null),
    );
    if (embed !== undefined) {
      const texts = new Map(read.map(([path, blob]) => [path, new TextDecoder().decode(contents.get(blob))]));
      put = await embed(put, texts, signal);
    }
    await store.write(scope, { put, remove: [] }, signal);
    done += batch.length;
    onProgress?.({ step: "files", done, total: wanted.length });
  }
  return { files: tree.size, changed: wanted.length, removed: gone.length };
}

async function indexHistory(
  { store, source, scope, signal, onProgress }: IndexInput,
  commit: string,
): Promise<Pick<IndexReport, "commits" | "newCommits">> {
  const hashes = await source.history(commit, MAX_HISTORY, signal);
  const stored = await store.groups(scope, commitPrefix, signal);
  const reachable = new Set(hashes);
  const tag = String(FORMAT);
  // A forced push or a rebase leaves commits behind that are no longer part of the story.
  const gone = [...stored.keys()].filter((name) => !reachable.has(name.slice(commitPrefix.length)));
  if (gone.length > 0) await store.write(scope, { put: [], remove: gone }, signal);
  const fresh = hashes.filter((hash) => stored.get(commitPrefix + hash) !== tag);
  for (let at = 0; at < fresh.length; at += BATCH_COMMITS) {
    const records = await source.commits(fresh.slice(at, at + BATCH_COMMITS), signal);
    await store.write(scope, { put: records.map((record) => commitGroup(record, tag)), remove: [] }, signal);
    onProgress?.({ step: "history", done: Math.min(at + BATCH_COMMITS, fresh.length), total: fresh.length });
  }
  return { commits: hashes.length, newCommits: fresh.length };
}

function tagOf(blob: string): string {
  return `${blob}:${FORMAT}`;
}

function* batches(
  files: readonly (readonly [string, string])[],
  bytesOf: (blob: string) => number,
): Generator<(readonly [string, string])[]> {
  let batch: (readonly [string, string])[] = [];
  let bytes = 0;
  for (const file of files) {
    if (batch.length > 0 && (batch.length >= BATCH_FILES || bytes + bytesOf(file[1]) > BATCH_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(file);
    bytes += bytesOf(file[1]);
  }
  if (batch.length > 0) yield batch;
}
