/** What a run is told of earlier ones, and of where its issue is likely at home: read once, kept with the run. */
import { setTimeout as sleep } from "node:timers/promises";
import { cleanMarkdown } from "../agents/untrusted.ts";
import type { LikelyFile, RememberedIssues } from "../domain/brief.ts";
import { NotFound } from "../domain/errors.ts";
import { runPrefix } from "../domain/ids.ts";
import {
  type Lesson,
  type Memory,
  type MemoryScope,
  type Resolution,
  scopeOfRepository,
  type Taught,
} from "../domain/memory.ts";
import type { Asking, CodeHit, MemoryPort, Recalled } from "../domain/memory-ports.ts";
import type { Artifacts, Mirror } from "../domain/ports.ts";
import type { IssueSnapshot } from "../domain/run.ts";
import { findJson, getJson, putFirstJson } from "./artifacts.ts";
import type { Ground, RunRef } from "./contract.ts";
import { issueKey } from "./ground.ts";
import type { MemoryActivities, RecallReport } from "./memory-contract.ts";
import { revisedAt } from "./reverts.ts";
import type { SettingsOfRuns } from "./run-settings.ts";
import { working } from "./temporal.ts";
import { within } from "./within.ts";

export interface RecallParts {
  memory: MemoryPort;
  mirror: Mirror;
  artifacts: Artifacts;
  settings: SettingsOfRuns;
}

/** A run waits this long for its memory, and goes on without. */
const ANSWER_WITHIN_MS = 3_000;
/** The first index of a repository may not be there yet. A small one is within this. */
const INDEX_WITHIN_MS = 6_000;
const LOOK_EVERY_MS = 100;
/** The newest commits are mostly there in a second; the first clone on this machine, which the run needs anyway, may take minutes. */
const HISTORY_WITHIN_MS = 10_000;
const MAX_SIMILAR = 3;
const MAX_LESSONS = 5;
const MAX_TAUGHT = 10;
const MAX_FILES = 12;

export function createRecall({
  memory,
  mirror,
  artifacts,
  settings,
}: RecallParts): Pick<MemoryActivities, "recallIssues" | "recallCode"> {
  return {
    recallIssues: ({ run, ground }) =>
      recalled(run, "issues", async (text, note, until) => {
        const { similarity_threshold: threshold } = (await settings.of(run)).memory;
        const alike = await within(ANSWER_WITHIN_MS, "The memory", until, (signal) =>
          issuesLike(scopeOfRepository(run.repository), text, threshold, { signal, note }),
        );
        return told(alike, await revisedSince(alike, run, ground, { signal: until, note }));
      }),

    recallCode: ({ run }) =>
      recalled(run, "code", async (text, note, signal) => {
        const hits = await hitsFor(scopeOfRepository(run.repository), text, { signal, note });
        const value = hits.map(({ path, lines, why }): LikelyFile => ({ path, lines, why }));
        return { value, found: value.length };
      }),
  };

  /** A run that asks again hears the same again: its briefs stay what they were, and are not paid for twice. */
  function recalled(
    run: RunRef,
    what: "issues" | "code",
    ask: (
      text: string,
      note: (said: string) => void,
      signal: AbortSignal,
    ) => Promise<{ value: unknown; found: number }>,
  ): Promise<RecallReport> {
    return working(async ({ signal }) => {
      const key = recallKey(run, what);
      const known = await findJson<{ found: number }>(artifacts, key);
      if (known) return { key: known.found > 0 ? key : null, found: known.found, problem: null };
      const issue = await getJson<IssueSnapshot>(artifacts, issueKey(run));
      const notes = new Set<string>();
      try {
        // An attempt that was overtaken may store before this one: what it heard is what the briefs say.
        const { found } = await putFirstJson(
          artifacts,
          key,
          await ask(queryOf(issue), (said) => notes.add(said), signal),
        );
        return { key: found > 0 ? key : null, found, problem: null, note: [...notes].join(" ") || null };
      } catch (error) {
        signal.throwIfAborted();
        return { key: null, found: 0, problem: (error as Error).message };
      }
    });
  }

  async function issuesLike(
    scope: MemoryScope,
    text: string,
    threshold: number,
    { signal, note }: Required<Asking>,
  ): Promise<Alike> {
    const similar = (await memory.experience.search(scope, text, {
      kinds: ["resolution"],
      limit: MAX_SIMILAR,
      threshold,
      signal,
      note,
    })) as Recalled<Resolution>[];
    const [lessons, taught] = await Promise.all([
      lessonsFor(scope, text, threshold, similar, signal),
      taughtFor(scope, text, signal),
    ]);
    return { similar, lessons, taught };
  }

  /**
   * What is different of them by the newest commits: the memory itself hears of a revert by the next index, which this run has only begun.
   * null: the history cannot be asked now.
   */
  async function revisedSince(
    { similar, lessons }: Alike,
    { repository }: RunRef,
    ground: Ground | undefined,
    { signal, note }: Required<Asking>,
  ): Promise<ReadonlyMap<string, Memory> | null> {
    if (lessons.length === 0 && !similar.some(({ memory: { outcome } }) => outcome === "merged")) return new Map();
    // Asked by a build that told less.
    if (ground === undefined) return null;
    try {
      const revised = await within(HISTORY_WITHIN_MS, "The history of the repository", signal, async (until) => {
        const tip = await mirror.fetch(repository, ground.cloneUrl, ground.defaultBranch, until);
        return revisedAt(memory.experience, repository, await mirror.source(repository), tip, until);
      });
      return new Map(revised.map((each) => [each.id, each]));
    } catch (error) {
      signal.throwIfAborted();
      note(`Whether earlier solutions were reverted lately is not known: ${(error as Error).message}`);
      return null;
    }
  }

  async function hitsFor(scope: MemoryScope, text: string, { signal, note }: Required<Asking>): Promise<CodeHit[]> {
    const deadline = Date.now() + INDEX_WITHIN_MS;
    for (;;) {
      try {
        return await within(ANSWER_WITHIN_MS, "The index of the code", signal, (until) =>
          memory.code.search(scope, text, { limit: MAX_FILES, signal: until, note }),
        );
      } catch (error) {
        if (!(error instanceof NotFound)) throw error;
        if (Date.now() >= deadline) return [];
        await sleep(LOOK_EVERY_MS, undefined, { signal });
      }
    }
  }

  /** Of the issues that are recalled, and of others that speak of the same; also those that did not hold, or not yet. */
  async function lessonsFor(
    scope: MemoryScope,
    text: string,
    threshold: number,
    similar: readonly Recalled<Resolution>[],
    signal: AbortSignal,
  ): Promise<Lesson[]> {
    const all = (await memory.experience.list(scope, { kinds: ["lesson"] }, signal)) as Lesson[];
    if (all.length === 0) return [];
    const of = new Set(similar.map(({ memory: { id } }) => id));
    const near = await memory.experience.search(scope, text, { kinds: ["lesson"], limit: 50, threshold, signal });
    const ids = new Set(near.map(({ memory: { id } }) => id));
    return all.filter(({ id, of: source }) => of.has(source) || ids.has(id));
  }

  async function taughtFor(scope: MemoryScope, text: string, signal: AbortSignal): Promise<Taught[]> {
    const all = (await memory.experience.list(scope, { kinds: ["taught"] }, signal)) as Taught[];
    if (all.length <= MAX_TAUGHT) return all;
    const near = await memory.experience.search(scope, text, { kinds: ["taught"], limit: MAX_TAUGHT, signal });
    const first = near.map(({ memory: each }) => each as Taught);
    const ids = new Set(first.map(({ id }) => id));
    return [...first, ...all.filter(({ id }) => !ids.has(id))].slice(0, MAX_TAUGHT);
  }
}

interface Alike {
  similar: Recalled<Resolution>[];
  lessons: Lesson[];
  taught: Taught[];
}

/** As the history has it now: of the lessons those that hold. */
function told(
  { similar, lessons, taught }: Alike,
  revised: ReadonlyMap<string, Memory> | null,
): { value: RememberedIssues; found: number } {
  const now = <Kind extends Memory>(each: Kind): Kind => (revised?.get(each.id) as Kind | undefined) ?? each;
  const holding = lessons
    .map(now)
    .filter(({ confirmed }) => confirmed)
    .slice(0, MAX_LESSONS);
  const value: RememberedIssues = {
    similar: similar.map(({ memory, score }) => {
      const each = now(memory);
      const unsure = revised === null && each.outcome === "merged" && !each.reverted;
      return { ...each, reverted: unsure ? null : each.reverted, score };
    }),
    lessons: holding.map(({ issue, text: said }) => ({ issue, text: said })),
    taught: taught.map(({ by, text: said }) => ({ by, text: said })),
  };
  return { value, found: similar.length + holding.length + taught.length };
}

/** What the memory is asked with. Hidden text does not count: no reader of the issue sees it. */
export function queryOf({ title, body }: IssueSnapshot): string {
  return `${title}\n\n${cleanMarkdown(body).text}`;
}

export async function readRecalled<T>(artifacts: Artifacts, key: string | null | undefined): Promise<T | null> {
  if (key == null) return null;
  return (await getJson<{ value: T }>(artifacts, key)).value;
}

function recallKey(run: RunRef, what: "issues" | "code"): string {
  return `${runPrefix(run.runKey)}/recalled-${what}.json`;
}
