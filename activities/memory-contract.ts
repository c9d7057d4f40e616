/** What each activity of the memory takes and gives. All of them may fail: a run is as good without. */
import type { Memory } from "../domain/memory.ts";
import type { IndexReport } from "../domain/memory-ports.ts";
import type { RepositoryName } from "../domain/ids.ts";
import type { AgentStatus, Outcome } from "../domain/run.ts";
import type { Ground, RunRef } from "./contract.ts";

/** The code that is to be known: a branch as it is now. */
export interface IndexRequest {
  repository: RepositoryName;
  cloneUrl: string;
  branch: string;
  /** What the run that asks stands on: an index that has got there needs nothing. */
  commit: string;
  /** When the run that asks began: what was forgotten since stays so. Not told by builds from before. */
  since?: string;
}

/** What was remembered for a run: in the artifact store under `key`, read once, so that each brief says the same. */
export interface RecallReport {
  /** null: there is nothing. */
  key: string | null;
  found: number;
  /** Why there is nothing, where that is not for want of memories. */
  problem: string | null;
  /** What the search had to do without; null or absent: nothing. */
  note?: string | null;
}

/** A run that has ended, as far as the memory wants to know. */
export interface RunStory {
  title: string;
  category: string | null;
  /** As the plan has it. */
  cause: string | null;
  /** What the coder said of its change. */
  summary: string | null;
  files: { path: string; additions: number | null; deletions: number | null }[];
  /** How the last verification was judged. */
  verification: string;
  outcome: Outcome;
  pullRequest: number | null;
  agents: AgentStatus[];
  turns: number;
  costUsd: number;
  /** How often the coder was at work. */
  rounds: number;
  /** Proposed by the reviewer. */
  lessons: string[];
  startedAt: string;
  endedAt: string;
}

export interface StoreReport {
  /** The ids of memories that the store refuses for what they are, and always will. */
  refused: string[];
  /** How many were not written because the repository was forgotten, or got another name, since what they are of began. */
  left?: number;
  /** Why some are found by words alone for now, as the embeddings service made no vectors; null: nothing is lacking. */
  lacking?: string | null;
}

/** What a person wants remembered. */
export interface Teaching {
  repository: RepositoryName;
  issue: number | null;
  by: string;
  text: string;
  at: string;
  /** The comment that said so; null: it was said elsewhere. */
  commentId: number | null;
}

/** When something was renamed on GitHub, and when we heard of it. */
export interface Moved {
  since: string;
  at: string;
}

export interface MemoryActivities {
  /** Lets the index of the repository be brought up to date, by a workflow of its own. */
  startIndexing(input: { run: RunRef; ground: Ground; commit: string; since: string }): Promise<void>;
  /** null: the repository was forgotten, or got another name, since it was asked for. */
  indexCode(input: IndexRequest): Promise<IndexReport | null>;
  /** Issues like this one, what was learnt from them, and what people taught. `ground` is not told by builds from before. */
  recallIssues(input: { run: RunRef; ground?: Ground }): Promise<RecallReport>;
  /** The files that the issue is likely about. */
  recallCode(input: { run: RunRef }): Promise<RecallReport>;
  /** Hands what is to be remembered of a run to the repository's one writer, which keeps it until the store has it. */
  rememberRun(input: { run: RunRef; story: RunStory }): Promise<{ memories: number }>;
  /** The same with what a person says. */
  teach(input: Teaching): Promise<void>;
  /** Lets all that is known of these repositories be forgotten. */
  startForgetting(input: { repositories: RepositoryName[]; at: string }): Promise<void>;
  /** Lets all that is known of a repository, or of an account's, be known under another name. */
  startMoving(input: { from: string; to: string } & Moved): Promise<void>;
  /** The writer's: into the store, and read back. Nothing is told by a build from before there was a report. */
  storeMemories(input: {
    repository: RepositoryName;
    memories: Memory[];
    since?: string;
    revised?: true;
  }): Promise<StoreReport | undefined>;
  /** Asks the embeddings service again for what it made no vectors of. */
  embedMemories(input: { repository: RepositoryName }): Promise<{ embedded: number; lacking: string | null }>;
  forgetRepository(input: { repository: RepositoryName; at?: string; olderOnly?: true }): Promise<void>;
  moveRepository(input: { repository: RepositoryName; to: RepositoryName } & Moved): Promise<void>;
}
