/** What is known of a repository goes with it: is forgotten, or found under its new name. What began before does not come back. */
import type { RepositoryName } from "../domain/ids.ts";
import { isRepositoryName } from "../domain/ids.ts";
import { type Departure, type Memory, type MemoryScope, scopeOfRepository } from "../domain/memory.ts";
import type { Experience, MemoryPort } from "../domain/memory-ports.ts";
import { orderOfMemory, stopIndexing } from "./keep.ts";
import type { MemoryActivities } from "./memory-contract.ts";
import { working } from "./temporal.ts";

type Forgetting = Pick<MemoryActivities, "startForgetting" | "startMoving" | "forgetRepository" | "moveRepository">;

export function createForgetting({ memory }: { memory: MemoryPort }): Forgetting {
  const { code, experience } = memory;
  return {
    startForgetting: ({ repositories, at }) =>
      working(async () => {
        for (const repository of repositories) await orderOfMemory(repository, { kind: "forget", at });
      }),

    startMoving: ({ from, to, at, since }) =>
      working(async ({ signal }) => {
        if (isRepositoryName(from)) return orderOfMemory(from, { kind: "move", to, at, since });
        const owner = from.toLowerCase();
        // First, for what is written meanwhile under a name that is not known yet.
        await experience.leave({ tenant: owner }, { at, to }, signal);
        const scopes = [...(await experience.scopes(signal)), ...(await code.scopes(signal))];
        const names = scopes.filter(({ tenant }) => tenant === owner).map(({ repository }) => repository);
        for (const name of new Set(names))
          await orderOfMemory(name, { kind: "move", to: `${to}/${name.slice(owner.length + 1)}`, at, since });
      }),

    forgetRepository: ({ repository, at = new Date().toISOString(), olderOnly = false }) =>
      working(async ({ signal }) => {
        const scope = scopeOfRepository(repository);
        if (olderOnly) return forgetOlder(repository, at, signal);
        await experience.leave(scope, { at, to: null }, signal);
        await stopIndexing(repository);
        await code.remove(scope, signal);
        await forgetAll(scope, await experience.list(scope, {}, signal), signal);
      }),

    moveRepository: ({ repository, to, at, since }) =>
      working(async ({ signal }) => {
        const scope = scopeOfRepository(repository);
        // What is known under that name from before is another repository's.
        if (!isToldAgain(await experience.departure(scope, signal), to, since))
          await orderOfMemory(to, { kind: "forget", at: since, olderOnly: true });
        await experience.leave(scope, { at, to }, signal);
        await stopIndexing(repository);
        const memories = await experience.list(scope, {}, signal);
        for (const some of portions(memories)) await orderOfMemory(to, { kind: "store", memories: some, since: at });
        await forgetAll(scope, memories, signal);
        // Its code is read anew by the next run.
        await code.remove(scope, signal);
      }),
  };

  /** Once: what is told again would find what was brought here since, which may be older. */
  async function forgetOlder(repository: RepositoryName, at: string, signal: AbortSignal): Promise<void> {
    const scope = scopeOfRepository(repository);
    const known = await experience.departure(scope, signal);
    if (known !== null && known.at >= at) return;
    await stopIndexing(repository);
    await code.remove(scope, signal);
    const memories = await experience.list(scope, {}, signal);
    await forgetAll(
      scope,
      memories.filter((memory) => memory.at < at),
      signal,
    );
    await experience.leave(scope, { at, to: null }, signal);
  }

  /** By name, and not all that there is: the mark is that of the order, however late it is carried out. */
  async function forgetAll(scope: MemoryScope, memories: readonly Memory[], signal: AbortSignal): Promise<void> {
    if (memories.length > 0) await experience.forget(scope, { ids: memories.map(({ id }) => id) }, signal);
  }
}

/** Two webhooks may tell of one renaming, and not of the same time; by then what was brought along is there. */
function isToldAgain(known: Departure | null, to: RepositoryName, since: string): boolean {
  return known?.to?.toLowerCase() === to.toLowerCase() && Date.parse(known.at) > Date.parse(since) - TOLD_WITHIN_MS;
}

const TOLD_WITHIN_MS = 60_000;

/** What became of a name since something began; null: nothing. What does not say when it began is older than this question. */
export async function departedSince(
  experience: Experience,
  scope: MemoryScope,
  since: string | undefined,
  signal: AbortSignal,
): Promise<Departure | null> {
  if (since === undefined) return null;
  const known = await experience.departure(scope, signal);
  return known !== null && since < known.at ? known : null;
}

/** A message to a workflow holds 2 MB; letters of other scripts take three bytes, and a copy may be encrypted. */
const MAX_CHARACTERS = 250_000;

function* portions(memories: readonly Memory[]): Generator<Memory[]> {
  let portion: Memory[] = [];
  let characters = 0;
  for (const memory of memories) {
    const { length } = JSON.stringify(memory);
    if (portion.length > 0 && characters + length > MAX_CHARACTERS) {
      yield portion;
      [portion, characters] = [[], 0];
    }
    portion.push(memory);
    characters += length;
  }
  if (portion.length > 0) yield portion;
}
