/** What a run takes along when it goes on with a new history: all that it knows, and where in the story it is. Types only. */
import type { Base, Change, Ground } from "../activities/contract.ts";
import type { Role } from "../domain/ids.ts";
import type { Classification, Plan } from "../domain/outputs.ts";
import type { Phase, RunStatus } from "../domain/run.ts";
import type { AgentProgress } from "./agent-messages.ts";
import type { Opening } from "./fork.ts";
import type { Coding, Work } from "./implement.ts";
import type { TreeStart } from "./landmarks.ts";
import type { RunNotes } from "./run-notes.ts";
import type { CarriedWaits } from "./waits.ts";

/** Places of the story where nothing is under way but an agent that can rest, so that it can go on from there. */
export type Chapter =
  /** The planner is at work, or is next. */
  | { kind: "plan"; classification: Classification }
  /** A person is asked about the plan. */
  | { kind: "plan-approval"; classification: Classification; plan: Plan }
  /** The coder is at work, or is next. */
  | { kind: "work"; coding: Coding }
  /** A change is written and judged; it goes out next. */
  | { kind: "publish"; work: Work }
  /** It is published; the reviewer is at work, or is next. */
  | { kind: "review"; work: Work }
  /** It is reviewed; its checks are waited for. */
  | { kind: "checks"; work: Work; since?: number }
  /** A person is asked. */
  | { kind: "approval"; work: Work }
  /** GitHub's merge queue has it. */
  | { kind: "queue"; work: Work; approvedBy: string | null };

/** What a person asked of the change that awaits approval. */
export type Wish =
  | { kind: "approved"; by: string; sha: string }
  | { kind: "changes-requested"; by: string; text: string };

export interface CarriedRun extends CarriedWaits {
  chapter: Chapter;
  runKey: string;
  startedAt: string;
  status: RunStatus;
  ground: Ground;
  base: Base;
  change: Change | null;
  verification: string;
  /** Absent when it comes from an older version. */
  notes?: RunNotes;
  pushed: string[];
  sandboxes: string[];
  heard: string[];
  home: string | null;
  wishes: Wish[];
  progress: [Role, AgentProgress][];
  rounds: [Role, number][];
  /** How the next round of a role begins, where that is in the middle. Absent when it comes from an older version. */
  opening?: { role: Role; opening: Opening } | null;
  /** What the coder's trees were made from; a run of an older version does not know. */
  trees?: TreeStart[];
  planApprovedBy: string | null;
  phaseBeforePause: Phase | null;
  /** The id of the progress comment; null: there is none yet. */
  progressComment: number | null;
}
