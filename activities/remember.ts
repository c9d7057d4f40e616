/** After a run: what it was about, how it was solved and by which way, and what was learnt, for those that come later. */
import { log } from "@temporalio/activity";
import { cleanLine, cleanMarkdown } from "../agents/untrusted.ts";
import { RequestRefused } from "../domain/errors.ts";
import type { RepositoryName } from "../domain/ids.ts";
import {
  type Course,
  type Departure,
  type Lesson,
  type Memory,
  type MemoryScope,
  type Resolution,
  scopeOfRepository,
} from "../domain/memory.ts";
import { pastTheirTime } from "../domain/memory-retention.ts";
import type { MemoryPort, Stored } from "../domain/memory-ports.ts";
import type { Artifacts, Forge } from "../domain/ports.ts";
import type { IssueSnapshot } from "../domain/run.ts";
import { redact } from "../domain/secrets.ts";
import type { RunSettings } from "../domain/settings.ts";
import { headOf } from "../domain/text.ts";
import { getJson } from "./artifacts.ts";
import type { RunRef } from "./contract.ts";
import { issueKey } from "./ground.ts";
import { departedSince } from "./forget.ts";
import { orderOfMemory } from "./keep.ts";
import type { MemoryActivities, RunStory, StoreReport } from "./memory-contract.ts";
import { working } from "./temporal.ts";

export interface RememberParts {
  memory: MemoryPort;
  artifacts: Artifacts;
  forge: Forge;
  settingsFor(repository: RepositoryName): RunSettings;
  secrets: readonly string[];
}

type Remembering = Pick<MemoryActivities, "rememberRun" | "teach" | "storeMemories" | "embedMemories">;

export function createRemember({ memory, artifacts, forge, settingsFor, secrets }: RememberParts): Remembering {
  return {
    rememberRun: ({ run, story }) =>
      working(async () => {
        const issue = await getJson<IssueSnapshot>(artifacts, issueKey(run));
        const memories = memoriesOf(run, issue, story, secrets);
        await orderOfMemory(run.repository, { kind: "store", memories, since: story.startedAt });
        return { memories: memories.length };
      }),

    teach: ({ repository, issue, by, text, at, commentId }) =>
      working(async () => {
        const said = memory.experience.taught({ text, by, issue, at });
        await orderOfMemory(repository, { kind: "store", memories: [said], since: at });
        if (commentId === null) return;
        try {
          await forge.react(repository, { comment: commentId }, "+1");
        } catch (error) {
          // It is remembered; that nobody is told so stops nothing.
          log.warn("no reaction to what was taught", { repository, commentId, reason: (error as Error).message });
        }
      }),

    storeMemories: ({ repository, memories: ordered, since, revised }) =>
      working(async ({ signal }) => {
        const scope = scopeOfRepository(repository);
        const gone = await departedSince(memory.experience, scope, since, signal);
        if (gone !== null) return leftBehind(repository, ordered, gone, revised);
        const memories = revised ? await stillThere(scope, ordered, signal) : ordered;
        const { refused, lacking } = await storeOrSetAside(scope, memories, signal);
        // Somebody may have it forgotten who asks no workflow: whoever writes last takes it away.
        const went = await departedSince(memory.experience, scope, since, signal);
        if (went !== null) {
          await memory.experience.forget(scope, { ids: memories.map(({ id }) => id) }, signal);
          return leftBehind(repository, memories, went, revised);
        }
        const issues = new Set(memories.map(({ issue }) => issue).filter((issue) => issue !== null));
        for (const issue of issues) {
          const ofIssue = await memory.experience.list(scope, { issue }, signal);
          const limits = { ...settingsFor(repository).memory, retention_days: 0 };
          const ids = pastTheirTime(ofIssue, limits, new Date());
          if (ids.length > 0) await memory.experience.forget(scope, { ids }, signal);
        }
        return { refused, lacking };
      }),

    embedMemories: ({ repository }) =>
      working(({ signal }) => memory.experience.embedRest(scopeOfRepository(repository), signal)),
  };

  /** What is known of a repository that is called otherwise now goes on to its new name; of one that was forgotten, nowhere. */
  async function leftBehind(
    repository: RepositoryName,
    memories: Memory[],
    { at, to }: Departure,
    revised: true | undefined,
  ): Promise<StoreReport> {
    log.info("not remembered under this name any more", { repository, memories: memories.length, at, to });
    const order = { kind: "store", memories, since: at, ...(revised ? { revised } : {}) } as const;
    if (to !== null) await orderOfMemory(to, order);
    return { refused: [], left: memories.length };
  }

  async function stillThere(scope: MemoryScope, memories: Memory[], signal: AbortSignal): Promise<Memory[]> {
    const known = await memory.experience.list(scope, { ids: memories.map(({ id }) => id) }, signal);
    const ids = new Set(known.map(({ id }) => id));
    return memories.filter(({ id }) => ids.has(id));
  }

  /** What the store will never take must not hold up what comes after it. Gives the ids of those. */
  async function storeOrSetAside(
    scope: MemoryScope,
    memories: Memory[],
    signal: AbortSignal,
  ): Promise<{ refused: string[] } & Stored> {
    try {
      return { refused: [], ...(await memory.experience.store(scope, memories, signal)) };
    } catch (error) {
      if (!isOfContent(error)) throw error;
      if (memories.length === 1) {
        const { id } = memories[0]!;
        // Its text stays where it can be read: in the history of the workflow that was told to write it.
        log.error("the store refuses a memory, which is set aside", { ...scope, id, reason: (error as Error).message });
        return { refused: [id], lacking: null };
      }
      // One of them is enough to have all refused.
      const all: { refused: string[] } & Stored = { refused: [], lacking: null };
      for (const each of memories) {
        const { refused, lacking } = await storeOrSetAside(scope, [each], signal);
        all.refused.push(...refused);
        all.lacking ??= lacking;
      }
      return all;
    }
  }
}

/** The store, and we ourselves by the schema. */
const REFUSING: ReadonlySet<string> = new Set(["qdrant", "memory"]);

function isOfContent(error: unknown): boolean {
  return error instanceof RequestRefused && REFUSING.has(error.service) && error.ofContent;
}

const MAX_LESSONS = 3;

function memoriesOf(run: RunRef, issue: IssueSnapshot, story: RunStory, secrets: readonly string[]): Memory[] {
  const say = (text: string, max: number): string => headOf(redact(text, secrets), max);
  const { outcome, category, endedAt: at } = story;
  const common = { at, issue: run.issue, category, title: say(cleanLine(issue.title).text, 500) };
  const resolution: Resolution = {
    ...common,
    kind: "resolution",
    id: `resolution-${run.runKey}`,
    problem: say(cleanMarkdown(issue.body).text, 8_000),
    cause: story.cause === null ? null : say(story.cause, 4_000),
    files: story.files.map(({ path }) => redact(path, secrets)).slice(0, 200),
    change: changeOf(story, say),
    evidence: story.verification === "" ? null : say(story.verification, 2_000),
    outcome: outcome.kind,
    reason: outcome.kind === "merged" ? null : say(outcome.reason, 2_000),
    pullRequest: story.pullRequest,
    mergeSha: outcome.kind === "merged" ? outcome.sha : null,
    reverted: false,
  };
  const course: Course = {
    ...common,
    kind: "workflow",
    id: `workflow-${run.runKey}`,
    outcome: outcome.kind,
    roles: story.agents.map(({ role, turns, costUsd }) => ({ role, turns, costUsd })),
    turns: story.turns,
    costUsd: story.costUsd,
    minutes: Math.round((Date.parse(at) - Date.parse(story.startedAt)) / 6_000) / 10,
    rounds: story.rounds,
  };
  const lessons = story.lessons.slice(0, MAX_LESSONS).map((text, index): Lesson => ({
    kind: "lesson",
    id: `lesson-${run.runKey}-${index + 1}`,
    at,
    issue: run.issue,
    text: say(text, 1_000),
    confirmed: outcome.kind === "merged",
    of: resolution.id,
  }));
  return [resolution, course, ...lessons];
}

function changeOf({ files, summary }: RunStory, say: (text: string, max: number) => string): string | null {
  if (files.length === 0) return null;
  const sum = (counts: readonly (number | null)[]): number =>
    counts.reduce<number>((all, each) => all + (each ?? 0), 0);
  const lines = `+${sum(files.map(({ additions }) => additions))} -${sum(files.map(({ deletions }) => deletions))}`;
  const counts = `${files.length} ${files.length === 1 ? "file" : "files"}, ${lines} lines.`;
  return say(summary === null ? counts : `${counts} ${summary}`, 6_000);
}
