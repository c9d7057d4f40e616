/** A repository's memories in this process: hundreds, seldom thousands, read again only when the store shows other tags. */
import type { Memory, MemoryKind } from "../../domain/memory.ts";
import type { PointStore, Scope } from "../store/store.ts";
import { facesOf } from "./faces.ts";
import { type Words, wordsIn } from "./similarity.ts";

export interface Known {
  memory: Memory;
  /** The words of each of its texts. */
  faces: readonly Words[];
  /** Whose vector it has, or whose it will never have; null: nobody's. */
  model: string | null;
}

/** What people teach stands apart from what was learnt. */
export const PREFIXES = ["learnt:", "taught:"] as const;

export function prefixOf(kind: MemoryKind): (typeof PREFIXES)[number] {
  return kind === "taught" ? "taught:" : "learnt:";
}

/** Repositories whose memories are held, those used last. */
const MAX_KEPT = 32;

export class Loaded {
  readonly #store: PointStore;
  readonly #clean: (memory: Memory) => Memory;
  /** By scope and prefix; each by the name of its group, with its tag. */
  readonly #kept = new Map<string, Map<string, Known & { tag: string }>>();

  /** @param clean what is read passes through it before anybody sees it. */
  constructor(store: PointStore, clean: (memory: Memory) => Memory) {
    this.#store = store;
    this.#clean = clean;
  }

  async all(scope: Scope, signal: AbortSignal): Promise<Known[]> {
    const parts = await Promise.all(PREFIXES.map((prefix) => this.#part(scope, prefix, signal)));
    return parts.flat();
  }

  async #part(scope: Scope, prefix: string, signal: AbortSignal): Promise<Known[]> {
    const key = JSON.stringify([scope.tenant, scope.repository, prefix]);
    const tags = await this.#store.groups(scope, prefix, signal);
    let known = this.#kept.get(key);
    if (
      known === undefined ||
      known.size !== tags.size ||
      [...tags].some(([name, tag]) => known!.get(name)?.tag !== tag)
    )
      known = await this.#read(scope, prefix, tags, known, signal);
    this.#kept.delete(key);
    this.#kept.set(key, known);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT * PREFIXES.length) break;
      this.#kept.delete(oldest);
    }
    return [...known.values()];
  }

  async #read(
    scope: Scope,
    prefix: string,
    tags: ReadonlyMap<string, string>,
    before: ReadonlyMap<string, Known & { tag: string }> | undefined,
    signal: AbortSignal,
  ): Promise<Map<string, Known & { tag: string }>> {
    const now = new Map<string, Known & { tag: string }>();
    if (tags.size === 0) return now;
    for (const [name, payload] of await this.#store.payloads(scope, prefix, signal)) {
      // Written between the two questions: the next one who asks sees it with its tag.
      const tag = tags.get(name);
      if (tag === undefined) continue;
      const same = before?.get(name);
      if (same?.tag === tag) {
        now.set(name, same);
        continue;
      }
      const { memory: stored, model } = payload as { memory: Memory; model: string | null };
      const memory = this.#clean(stored);
      now.set(name, { tag, memory, model, faces: facesOf(memory).map(wordsIn) });
    }
    return now;
  }
}
