/** Everything that speaks for a file, each signal by itself. What they count together is decided in `rank.ts`. */
import type { Hit, PointStore, Query, Scope, SparseVector } from "../store/store.ts";
import { hashOf, vectorOf } from "../text/vector.ts";
import { wordsOf } from "../text/words.ts";
import { symbolHash, VECTORS } from "./document.ts";
import { type Candidate, candidateOf, type CandidateOf, type Signal } from "./candidate.ts";
import { subjectOf } from "./file-kind.ts";
import { meant, type File, type Files } from "./files.ts";
import { addHistory } from "./history.ts";
import type { ParsedQuery } from "./query.ts";

/** Hits that a store is asked for: what comes later never reached the first twenty. */
const LIMIT = 500;
const SENTENCE_LIMIT = 200;
const COMMITS = 300;
/** A name that could be any of more files says nothing. */
const MAX_MEANT = 8;
const MAX_TESTED = 4;

export async function gatherSignals(
  store: PointStore,
  scope: Scope,
  files: Files,
  query: ParsedQuery,
  dense: Float32Array | null,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const candidates = new Map<File, Candidate>();
  const of: CandidateOf = (file) => {
    let found = candidates.get(file);
    if (found === undefined) candidates.set(file, (found = candidateOf(file)));
    return found;
  };
  const chunks = (name: Signal) => (hits: readonly Hit[]) => addChunks(hits, name, files, of);
  const once = (name: Signal) => (hits: readonly Hit[]) => {
    for (const { group, score } of hits) {
      const file = files.ofGroup(group);
      if (file !== null) of(file).signals[name] = score;
    }
  };
  const title = vector(query.title);
  const all = vector(query.all);
  const names = vector(ones([...query.names].flatMap(namesTogether)));
  const exact = vectorOf(new Map([...query.names].map((name): [number, number] => [symbolHash(name), 1])));
  const about = vector(ones(query.scope));
  const asked: [Query, (hits: readonly Hit[]) => void][] = [
    [ask("chunk", title), chunks("chunkTitle")],
    [ask("chunk", all), chunks("chunkAll")],
    [ask("chunk", names), chunks("nameChunk")],
    [ask("file", title), once("fileTitle")],
    [ask("file", all), once("fileAll")],
    [ask("file", names), once("nameFile")],
    [ask("path", title), once("pathTitle")],
    [ask("path", all), once("pathAll")],
    [ask("path", about), once("scope")],
    [ask("symbols", exact), once("symbols")],
    [ask("told", title), once("toldTitle")],
    [ask("told", all), once("told")],
    [ask("commit", title, COMMITS), (hits) => addHistory(hits, "historyTitle", null, files, of)],
    [ask("commit", all, COMMITS), (hits) => addHistory(hits, "history", "historyMax", files, of)],
    ...query.sentences.map((words): [Query, (hits: readonly Hit[]) => void] => [
      ask("chunk", vector(words), SENTENCE_LIMIT),
      (hits) => addSentence(hits, files, of),
    ]),
  ];
  if (dense !== null) asked.push([{ dense, limit: LIMIT }, chunks("dense")]);
  const answers = await store.search(
    scope,
    asked.map(([question]) => question),
    signal,
  );
  asked.forEach(([, take], at) => take(answers[at]!));
  for (const { path } of query.paths) {
    const found = meant(path, files);
    if (found.length <= MAX_MEANT) for (const each of found) of(each).signals.mention += 1 / found.length;
  }
  addTested([...candidates.values()], files, of);
  return [...candidates.values()];
}

function ask(name: keyof typeof VECTORS, terms: SparseVector, limit = LIMIT): Query {
  return { vector: VECTORS[name], terms, limit };
}

function vector(words: ReadonlyMap<string, number>): SparseVector {
  return vectorOf(new Map([...words].map(([word, weight]): [number, number] => [hashOf(word), weight])));
}

function ones(words: Iterable<string>): Map<string, number> {
  return new Map([...words].map((word): [string, number] => [word, 1]));
}

/** What only the whole name says; its parts are in the other queries already. */
function namesTogether(name: string): readonly string[] {
  const { parts, joined } = wordsOf(name);
  return joined.length > 0 ? joined.slice(-1) : parts;
}

/** A file counts by its best piece, and a little by the next two. */
function addChunks(hits: readonly Hit[], name: Signal, files: Files, of: CandidateOf): void {
  const seen = new Map<File, number>();
  for (const hit of hits) {
    const file = files.ofGroup(hit.group);
    if (file === null) continue;
    const before = seen.get(file) ?? 0;
    seen.set(file, before + 1);
    if (before > 2) continue;
    const candidate = of(file);
    candidate.signals[name] += hit.score / 2 ** before;
    if (before === 0 && (name === "chunkAll" || candidate.chunk === null)) candidate.chunk = hit;
  }
}

/** Sentences that find something rare count more than those that find what is everywhere. */
function addSentence(hits: readonly Hit[], files: Files, of: CandidateOf): void {
  let most: number | null = null;
  const seen = new Set<File>();
  for (const { group, score } of hits) {
    const file = files.ofGroup(group);
    if (file === null || seen.has(file)) continue;
    most ??= score;
    seen.add(file);
    of(file).signals.lines += (score / most) ** 2 * Math.sqrt(most);
  }
}

/** A test that fits speaks for what it tests. */
function addTested(candidates: readonly Candidate[], files: Files, of: CandidateOf): void {
  for (const { path, kind, signals } of candidates) {
    if (kind !== "test" || signals.chunkAll === 0) continue;
    const subject = subjectOf(path);
    const sources = subject === null ? [] : files.sourcesOf(subject);
    if (sources.length > MAX_TESTED) continue;
    for (const source of sources) {
      const tested = of(source).signals;
      tested.tested = Math.max(tested.tested, signals.chunkAll);
    }
  }
}
