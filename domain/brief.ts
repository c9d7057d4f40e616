/** What an agent is asked to do: the opening or a follow-up message of its conversation, before it becomes words. */
import type { ChangedFile } from "./change.ts";
import type { Resolution } from "./memory.ts";
import type { Classification, Finding, Plan } from "./outputs.ts";
import type { Evidence } from "./run.ts";

export type Brief =
  | { kind: "classify"; remembered?: Remembered }
  | { kind: "plan"; classification: Classification; remembered?: Remembered }
  | {
      kind: "implement";
      classification: Classification;
      plan: Plan;
      /** Runs the whole suite; null where none is known and the agent must find out. */
      testCommand: string | null;
      /** What a human said when approving the plan. */
      planNote?: string;
      remembered?: Remembered;
    }
  | {
      kind: "revise";
      because: ReviseReason;
      /** What happened, in words: test output, a failed check's log, a human's request, the broken rule. */
      text: string;
      /** The reviewer's findings, for `because: "review"`. */
      findings?: Finding[];
      /** The working tree is not the one that the coder left: what is in it besides. */
      tree?: NewTree;
    }
  | {
      kind: "review";
      /** Unified diff from the base to the branch. */
      patch: string;
      patchTruncated: boolean;
      files: ChangedFile[];
      /** null where no plan was made. */
      plan: Plan | null;
      evidence: Evidence;
      /** 1 for the first review of this pull request. */
      round: number;
    };

/** What the memory has to say at the beginning. */
export interface Remembered {
  /** null: nothing is recalled. */
  issues: RememberedIssues | null;
  files: LikelyFile[];
}

/** Of earlier runs, and of people. */
export interface RememberedIssues {
  similar: (Pick<
    Resolution,
    "issue" | "title" | "category" | "cause" | "files" | "change" | "outcome" | "reason" | "pullRequest"
  > & {
    /** null: whether it was is not known, as the newest history could not be read. */
    reverted: boolean | null;
    score: number;
  })[];
  lessons: { issue: number; text: string }[];
  taught: { by: string; text: string }[];
}

/** A file that the issue is likely about, by the index of the code. */
export interface LikelyFile {
  path: string;
  lines: [from: number, to: number];
  why: string[];
}

/** What came into a working tree that was made anew. */
export type NewTree = "others-pushed" | "base-merged";

/** Why finished work goes back to the coder. */
export type ReviseReason = "verification" | "review" | "checks" | "human" | "policy" | "conflict";

/** Instructions of the repository's own, as they stand on its default branch (AGENTS.md, CLAUDE.md). */
export interface InstructionFile {
  path: string;
  text: string;
}
