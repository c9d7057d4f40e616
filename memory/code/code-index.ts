/** Finding code: index a repository at a commit, ask it, let it go. What `domain/ports.ts` calls CodeIndex. */
import { NotFound } from "../../domain/errors.ts";
import { isRepositoryName } from "../../domain/ids.ts";
import type { CodeHit, CodeIndex, SourceRepository } from "../../domain/memory-ports.ts";
import type { PointStore, Scope } from "../store/store.ts";
import { withCompanions } from "./companions.ts";
import { filePrefix } from "./document.ts";
import type { Embedder } from "../dense/embedder.ts";
import { embedGroups } from "../dense/embed-groups.ts";
import { orWordsAlone } from "../dense/or-words.ts";
import { explain } from "./explain.ts";
import { filesOf, type Files } from "./files.ts";
import { formOf, indexRepository, type IndexNote } from "./index-repository.ts";
import { parseQuery } from "./query.ts";
import { rank } from "./rank.ts";
import { gatherSignals } from "./signals.ts";

export interface Parts {
  store: PointStore;
  /** Null: no dense vectors. */
  embedder: Embedder | null;
  /** Told when a search had to do with less than it should. */
  warn?: (message: string) => void;
}

/** Repositories whose names are kept in memory, those used last. */
const MAX_KEPT = 8;

/** Also of an index that was broken off, or that the embeddings service made no vectors for. */
const OTHER_VECTORS =
  "Searched by words alone, without embeddings: not all of the index has vectors of today's model yet. The next index makes them.";

export function createCodeIndex({ store, embedder, warn = () => {} }: Parts): CodeIndex {
  const kept = new Map<string, { state: string; files: Files }>();

  async function filesAt(scope: Scope, { commit, form, writing }: IndexNote, signal: AbortSignal): Promise<Files> {
    const key = JSON.stringify(scope);
    // What is read while somebody writes may be half of it, also at the same commit.
    const state = JSON.stringify([commit, form, writing]);
    const found = kept.get(key);
    if (found?.state === state) return found.files;
    const files = filesOf(await store.names(scope, filePrefix, signal));
    kept.delete(key);
    kept.set(key, { state, files });
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_KEPT) break;
      kept.delete(oldest);
    }
    return files;
  }

  return {
    async index(scope, source: SourceRepository, revision, { signal, onProgress }) {
      const report = await indexRepository({
        store,
        source,
        scope,
        revision,
        signal,
        ...(onProgress ? { onProgress } : {}),
        ...(embedder
          ? {
              dense: {
                model: embedder.model,
                embed: (groups, texts) => embedGroups(embedder, groups, texts, signal, warn),
              },
            }
          : {}),
      });
      if (report.lacking !== undefined)
        warn(`Indexed without all embeddings, and searched by words for now: ${report.lacking}`);
      return report;
    },
    async indexed(scope, signal) {
      const note = (await store.note(scope, signal)) as IndexNote | null;
      return note === null || note.commit === "" ? null : note.commit;
    },
    async search(scope, text, { limit, signal, note: tell = () => {} }): Promise<CodeHit[]> {
      const note = (await store.note(scope, signal)) as IndexNote | null;
      if (note === null || note.commit === "")
        throw new NotFound("index", `${scope.repository} is not indexed yet${howToIndex(scope)}`);
      const files = await filesAt(scope, note, signal);
      const query = parseQuery(text);
      const ofOneModel = (now: IndexNote | null): boolean =>
        embedder !== null && now !== null && now.form === formOf({ dense: embedder }) && now.mixed !== true;
      const asked =
        embedder !== null && ofOneModel(note)
          ? await orWordsAlone(
              (until) => embedder.embed([text], "query", until),
              signal,
              (message) => {
                warn(message);
                tell(message);
              },
            )
          : null;
      if (embedder !== null && !ofOneModel(note)) tell(OTHER_VECTORS);
      const dense = asked?.[0] ?? null;
      let candidates = await gatherSignals(store, scope, files, query, dense, signal);
      // Another model's vectors may have the same length, and would be compared all the same: also those that came in meanwhile.
      if (dense !== null && !ofOneModel((await store.note(scope, signal)) as IndexNote | null)) {
        candidates = await gatherSignals(store, scope, files, query, null, signal);
        tell(OTHER_VECTORS);
      }
      const { ranked, partsOf } = rank(candidates);
      const best = (await withCompanions(store, scope, files, ranked, signal)).slice(0, limit);
      return best.map((each) => explain(each, partsOf, query));
    },
    async remove(scope, signal) {
      kept.delete(JSON.stringify(scope));
      await store.forget(scope, signal);
    },
    scopes: async (signal) => (await store.scopes(signal)).filter(({ repository }) => isRepositoryName(repository)),
  };
}

/** Those of GitHub are indexed by the runs, folders by their people. */
function howToIndex({ repository }: Scope): string {
  return isRepositoryName(repository)
    ? ": the next run on one of its issues does that."
    : ". Run `mergewright memory index DIR` first.";
}
