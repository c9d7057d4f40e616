/** Brings what the store holds of a repository to a commit: reads and writes only what differs, in batches. */
import { randomUUID } from "node:crypto";
import type { IndexProgress, IndexReport, SourceRepository } from "../../domain/memory-ports.ts";
import { type Embedded, withoutVectors } from "../dense/embed-groups.ts";
import type { Group, PointStore, Scope } from "../store/store.ts";
import {
  commitGroup,
  commitPrefix,
  fileGroup,
  filePrefix,
  FORMAT,
  isRead,
  MAX_CODE_BYTES,
  toldPrefix,
  type CommitPayload,
} from "./document.ts";
import { filesOf } from "./files.ts";
import { toldOf } from "./history.ts";

export interface IndexInput {
  store: PointStore;
  source: SourceRepository;
  scope: Scope;
  /** A hash, a branch or `HEAD`. */
  revision: string;
  signal: AbortSignal;
  onProgress?: (progress: IndexProgress) => void;
  /** Adds dense vectors, where embeddings are configured. */
  dense?: Dense;
}

export interface Dense {
  /** Another model's vectors cannot be compared: its name is part of what is stored. */
  model: string;
  embed: (groups: Group[], contents: ReadonlyMap<string, string>, signal: AbortSignal) => Promise<Embedded>;
}

/** Enough for what people still speak of; older fixes speak of other files. */
export const MAX_HISTORY = 3_000;
/** A batch is what a kill loses, and what is held in memory. */
const BATCH_FILES = 200;
const BATCH_BYTES = 16 * 2 ** 20;
const BATCH_COMMITS = 500;
const BATCH_TOLD = 1_000;

export async function indexRepository(input: IndexInput): Promise<IndexReport> {
  const { store, source, scope, signal } = input;
  const commit = await source.resolve(input.revision, signal);
  const note = (await store.note(scope, signal)) as IndexNote | null;
  if (note?.form === formOf(input) && note.commit === commit && note.writing === null) {
    await store.optimize(scope, signal);
    return { commit, files: note.files, changed: 0, removed: 0, commits: note.commits, newCommits: 0, unchanged: true };
  }
  // Until this is taken off again what is stored may be of two commits: after a kill, or where two processes write at once.
  const writing = randomUUID();
  const form = formOf(input);
  // Whoever has left its mark may have been killed, or be in the middle of a write that is done when we are.
  const overtaken = note !== null && !SETTLED.has(note.writing);
  // What is made anew file by file has vectors of two models until the last one is done.
  const mixed = note !== null && (note.form !== form || note.mixed === true);
  const begun: IndexNote = { ...(note ?? { commit: "", files: 0, commits: 0 }), form, writing, mixed };
  await store.setNote(scope, { ...begun }, signal);
  const marked: IndexInput = { ...input, store: markedStore(store, writing, form) };
  const { lacking, tree, ...files } = await indexFiles(marked, commit);
  const history = await indexHistory(marked, commit);
  const shown = await indexTold(marked);
  await store.optimize(scope, signal);
  const result: IndexReport = {
    commit,
    ...files,
    commits: history.commits,
    newCommits: history.newCommits,
    unchanged: false,
    ...(lacking === null ? {} : { lacking }),
  };
  const now = (await store.note(scope, signal)) as IndexNote | null;
  const followed = now?.writing !== writing;
  const alone = !followed && !overtaken;
  const complete = shown.size === tree.size && [...tree].every(([path, tag]) => shown.get(filePrefix + path) === tag);
  const ofOtherForm = now?.form !== form || (followed && now.mixed === true) || (overtaken && note?.form !== form);
  const written: IndexNote = {
    form,
    commit,
    files: files.files,
    commits: history.commits,
    // Somebody else wrote, or may have, or vectors are lacking: the next index compares everything.
    writing: !alone || (!complete && lacking === null) ? "several" : lacking === null ? null : "lacks vectors",
    // Of files that have vectors and files that have none the first would be found alone.
    mixed: lacking !== null || (!alone && ofOtherForm) || (!complete && mixed),
  };
  await store.setNote(scope, { ...written }, signal);
  return result;
}

/** What the mark says where nobody is known to write; another one is a writer's own. */
const SETTLED: ReadonlySet<string | null> = new Set([null, "several", "lacks vectors"]);

/** Another writer takes our mark for one that a killed process left: it is told before each write that there are two, so that it holds when we are killed. */
function markedStore(store: PointStore, writing: string, form: string): PointStore {
  return {
    ...store,
    async write(scope, change, signal) {
      const now = (await store.note(scope, signal)) as IndexNote | null;
      if (now !== null && now.writing !== writing && now.writing !== "several")
        await store.setNote(
          scope,
          { ...now, writing: "several", mixed: now.mixed === true || now.form !== form },
          signal,
        );
      await store.write(scope, change, signal);
    },
  };
}

export interface IndexNote {
  /** How what is stored was made; another one makes it anew. */
  form: string;
  /** Empty until the first index has ended. */
  commit: string;
  files: number;
  commits: number;
  /** Who is writing, or was when it was killed; null: all of it is of `commit`. */
  writing: string | null;
  /** Some of what is stored may have been made in another form, such as by another embeddings model. */
  mixed?: boolean;
}

/** @param dense what makes the dense vectors; without it there are none. */
export function formOf({ dense }: { dense?: Pick<Dense, "model"> }): string {
  return dense === undefined ? String(FORMAT) : `${FORMAT}:${dense.model}`;
}

async function indexFiles(
  input: IndexInput,
  commit: string,
): Promise<
  Pick<IndexReport, "files" | "changed" | "removed"> & Pick<Embedded, "lacking"> & { tree: Map<string, string> }
> {
  const { store, source, scope, signal, onProgress, dense } = input;
  const tagOf = (blob: string): string => `${blob}:${formOf(input)}`;
  const tree = await source.tree(commit, signal);
  const tags = new Map([...tree].map(([path, blob]) => [path, tagOf(blob)]));
  const stored = await store.groups(scope, filePrefix, signal);
  const wanted = [...tree].filter(([path, blob]) => stored.get(filePrefix + path) !== tagOf(blob));
  const gone = [...stored.keys()].filter((name) => !tree.has(name.slice(filePrefix.length)));
  if (gone.length > 0) await store.write(scope, { put: [], remove: gone }, signal);
  const sizes =
    wanted.length > 0 ? await source.sizes([...new Set(wanted.map(([, blob]) => blob))], signal) : new Map();
  let done = 0;
  let lacking: string | null = null;
  for (const batch of batches(wanted, (blob) => Math.min(sizes.get(blob) ?? 0, MAX_CODE_BYTES))) {
    const read = batch.filter(([path, blob]) => isRead(path, sizes.get(blob) ?? 0));
    const contents = await source.contents([...new Set(read.map(([, blob]) => blob))], signal);
    const reading = new Set(read.map(([path]) => path));
    let put = batch.map(([path, blob]) =>
      fileGroup(path, tagOf(blob), reading.has(path) ? (contents.get(blob) ?? null) : null),
    );
    if (dense !== undefined && lacking === null) {
      const texts = new Map(read.map(([path, blob]) => [path, new TextDecoder().decode(contents.get(blob))]));
      ({ groups: put, lacking } = await dense.embed(put, texts, signal));
    } else if (dense !== undefined) {
      // A service that is away is not waited for once more with each batch.
      put = put.map((group) => ({ ...group, tag: withoutVectors(group.tag) }));
    }
    await store.write(scope, { put, remove: [] }, signal);
    done += batch.length;
    onProgress?.({ step: "files", done, total: wanted.length });
  }
  return { files: tree.size, changed: wanted.length, removed: gone.length, lacking, tree: tags };
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

/** Both halves are stored by now, so this can be made from the store alone, and is made anew after an interruption. Returns the files that it shows. */
async function indexTold({ store, scope, signal }: IndexInput): Promise<Map<string, string>> {
  const shown = await store.groups(scope, filePrefix, signal);
  const files = filesOf(shown.keys());
  const commits = (await store.payloads(scope, commitPrefix, signal)) as Map<string, CommitPayload>;
  const stored = await store.groups(scope, toldPrefix, signal);
  const told = toldOf(commits, files);
  const wanted = told.filter(({ path, tag }) => stored.get(toldPrefix + path) !== tag);
  const current = new Set(told.map(({ path }) => toldPrefix + path));
  const remove = [...stored.keys()].filter((name) => !current.has(name));
  if (remove.length > 0) await store.write(scope, { put: [], remove }, signal);
  for (let at = 0; at < wanted.length; at += BATCH_TOLD) {
    const put = wanted.slice(at, at + BATCH_TOLD).map(({ group }) => group());
    await store.write(scope, { put, remove: [] }, signal);
  }
  return shown;
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
