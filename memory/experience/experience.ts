/** The memory of what was solved, how, and what people taught: one group in the store for each, ranked here. */
import { createHash } from "node:crypto";
import { RequestRefused, ServiceUnavailable } from "../../domain/errors.ts";
import { Memory, type MemoryScope } from "../../domain/memory.ts";
import type { Experience, MemoryFilter, Recalled, Stored } from "../../domain/memory-ports.ts";
import { redact } from "../../domain/secrets.ts";
import { documentVectors } from "../dense/document-vectors.ts";
import type { Embedder } from "../dense/embedder.ts";
import type { Group, PointStore } from "../store/store.ts";
import { Departures } from "./departures.ts";
import { facesOf } from "./faces.ts";
import { Loaded, prefixOf, PREFIXES } from "./loaded.ts";
import { Questions } from "./questions.ts";
import { redacted } from "./redacted.ts";
import { experienceScope, repositoryOfExperience } from "./scopes.ts";
import { calibrated, corpusOf, cosine, wordsIn } from "./similarity.ts";
import { taught } from "./taught.ts";

export interface Parts {
  store: PointStore;
  /** Null: no dense vectors. */
  embedder: Embedder | null;
  /** Those that we hold, so that no memory quotes them. */
  secrets?: readonly string[];
  /** Told when a search had to do with less than it should. */
  warn?: (message: string) => void;
}

/** Nearest by meaning that are looked at; the words are compared with all. */
const DENSE_HITS = 64;
/** As many as a request to the service takes. */
const EMBEDDED_AT_ONCE = 64;

export function createExperience({ store, embedder, secrets = [], warn = () => {} }: Parts): Experience {
  // Also what an older build, or somebody else, put there.
  const loaded = new Loaded(store, (memory) => redacted(memory, secrets));
  const departures = new Departures(store);
  const questions = embedder === null ? null : new Questions(embedder, warn);

  return {
    async store(scope, memories, signal) {
      if (memories.length === 0) return { lacking: null };
      const kept = memories.map((memory) => fitting(redacted(memory, secrets)));
      const own = experienceScope(scope);
      // It says that there is something here, so it comes first: what has no note is never found by the retention.
      if ((await store.note(own, signal)) === null) await store.setNote(own, { format: 1 }, signal);
      const { put, lacking } = await groupsOf(kept, signal);
      await store.write(own, { put, remove: [] }, signal);
      await readBack(own, put, signal);
      if (lacking !== null) warn(`Written without embeddings, and found by words alone for now: ${lacking}`);
      return { lacking };
    },
    async embedRest(scope, signal) {
      const own = experienceScope(scope);
      let embedded = 0;
      const rest =
        embedder === null ? [] : (await loaded.all(own, signal)).filter(({ model }) => model !== embedder.model);
      for (let at = 0; at < rest.length; at += EMBEDDED_AT_ONCE) {
        const some = rest.slice(at, at + EMBEDDED_AT_ONCE).map(({ memory }) => memory);
        const { put, lacking } = await groupsOf(some, signal);
        if (lacking !== null) return { embedded, lacking };
        // That took a while: what was forgotten or changed meanwhile is not written again.
        const now = new Set((await loaded.all(own, signal)).map(({ memory }) => JSON.stringify(memory)));
        const same = put.filter((_, which) => now.has(JSON.stringify(some[which])));
        await store.write(own, { put: same, remove: [] }, signal);
        embedded += same.length;
      }
      return { embedded, lacking: null };
    },
    // Before its id is made: it is the same memory, whoever cleaned the words.
    taught: (said) => taught({ ...said, text: redact(said.text, secrets) }),
    async list(scope, which, signal) {
      const all = await loaded.all(experienceScope(scope), signal);
      return all
        .map(({ memory }) => memory)
        .filter(fits(which))
        .toSorted(newestFirst);
    },
    async search(scope, text, { kinds, limit, threshold = 0, signal, note = () => {} }) {
      const own = experienceScope(scope);
      const all = await loaded.all(own, signal);
      const wanted = all.filter(({ memory }) => fits(kinds ? { kinds } : {})(memory));
      if (wanted.length === 0) return [];
      const query = wordsIn(text);
      const corpus = corpusOf(all.flatMap(({ faces }) => faces));
      const near = await nearness(own, text, signal, note);
      const scored = wanted.map(({ memory, faces }): Recalled => {
        const words = Math.max(0, ...faces.map((face) => calibrated(cosine(query, face, corpus))));
        return { memory, score: round(Math.max(words, near.get(memory.id) ?? 0)) };
      });
      return scored
        .filter(({ score }) => score > 0 && score >= threshold)
        .sort((a, b) => b.score - a.score || newestFirst(a.memory, b.memory))
        .slice(0, limit);
    },
    async forget(scope, which, signal) {
      const own = experienceScope(scope);
      // Before the look at what there is: whoever writes later finds it, and takes away again what he wrote.
      if (Object.keys(which).length === 0)
        await departures.note(scope, { at: new Date().toISOString(), to: null }, signal);
      const all = await loaded.all(own, signal);
      const gone = all
        .map(({ memory }) => memory)
        .filter(fits(which))
        .sort(newestFirst);
      // By name, also where it is all of them: what another process has stored since the listing is not among those that are told of.
      if (gone.length > 0) await store.write(own, { put: [], remove: gone.map(nameOf) }, signal);
      return gone.map(({ id }) => id);
    },
    async scopes(signal) {
      const found: MemoryScope[] = [];
      for (const own of await store.scopes(signal)) {
        const scope = repositoryOfExperience(own);
        // The note stays when all has been forgotten.
        if (scope !== null && (await hasAny(own, signal))) found.push(scope);
      }
      return found;
    },
    leave: (name, departure, signal) => departures.note(name, departure, signal),
    departure: (scope, signal) => departures.of(scope, signal),
  };

  async function groupsOf(memories: readonly Memory[], signal: AbortSignal): Promise<{ put: Group[] } & Stored> {
    // The last one of an id counts, as it does when they are stored one after another.
    const each = [...new Map(memories.map((memory) => [memory.id, memory])).values()];
    const texts = each.map((memory) => facesOf(memory)[0]!);
    const { vectors, lacking } =
      embedder === null
        ? { vectors: [], lacking: null }
        : await documentVectors(embedder, texts, signal, (at, reason) =>
            warn(`${each[at]!.id} is found by its words alone: ${reason}`),
          );
    const put = each.map((memory, at): Group => {
      const dense = vectors[at] ?? null;
      // One that is refused for good is not asked for again, until there is another model.
      const payload = { memory, model: dense === null ? null : embedder!.model };
      return {
        name: nameOf(memory),
        tag: digestOf(payload),
        points: [{ payload, vectors: {}, ...(dense !== null && dense !== "refused" ? { dense } : {}) }],
      };
    });
    return { put, lacking };
  }

  async function hasAny(own: MemoryScope, signal: AbortSignal): Promise<boolean> {
    for (const prefix of PREFIXES) if ((await store.groups(own, prefix, signal)).size > 0) return true;
    return false;
  }

  async function readBack(own: MemoryScope, put: readonly Group[], signal: AbortSignal): Promise<void> {
    const kept = new Map<string, string>();
    for (const prefix of PREFIXES) for (const entry of await store.groups(own, prefix, signal)) kept.set(...entry);
    const lost = put.filter(({ name, tag }) => kept.get(name) !== tag);
    if (lost.length === 0) return;
    const names = lost.map(({ name }) => name).join(", ");
    throw new ServiceUnavailable("memory", `The ${store.kind} store took ${names} and does not show it. Try again.`);
  }

  /** By id, on the same scale as the words. */
  async function nearness(
    own: MemoryScope,
    text: string,
    signal: AbortSignal,
    note: (text: string) => void,
  ): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    if (embedder === null || questions === null) return found;
    const { near, why } = await questions.ask(text, signal);
    if (why !== null) note(why);
    if (near === null) return found;
    const { scale, dense } = near;
    const [hits = []] = await store.search(own, [{ dense, limit: DENSE_HITS }], signal);
    for (const { payload, score } of hits) {
      const { memory, model } = payload as { memory: Memory; model: string | null };
      if (model === embedder.model) found.set(memory.id, scale(score));
    }
    return found;
  }
}

/** One that does not fit its schema would be written, and never read again from an export. Throws RequestRefused. */
function fitting(memory: Memory): Memory {
  const parsed = Memory.safeParse(memory);
  if (parsed.success) return memory;
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "it"}: ${message}`).join("; ");
  throw new RequestRefused("memory", 422, `The memory ${memory.id} cannot be kept: ${wrong.slice(0, 300)}.`);
}

function fits({ id, ids, issue, kinds }: MemoryFilter): (memory: Memory) => boolean {
  const named = ids === undefined ? null : new Set(ids);
  return (memory) =>
    (id === undefined || memory.id === id) &&
    (named === null || named.has(memory.id)) &&
    (issue === undefined || memory.issue === issue) &&
    (kinds === undefined || kinds.includes(memory.kind));
}

function nameOf(memory: Memory): string {
  return prefixOf(memory.kind) + memory.id;
}

function newestFirst(one: Memory, other: Memory): number {
  return other.at.localeCompare(one.at) || other.id.localeCompare(one.id);
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
}

/** What is beyond three digits is noise, and differs between machines. */
function round(score: number): number {
  return Math.round(score * 1_000) / 1_000;
}
