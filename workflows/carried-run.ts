/** What a run takes along when it goes on with a new history: all that it knows, and where in the story it is. Types only. */
import type { Base, Change, Ground } from "../activities/contract.ts";
import type { Role } from "../domain/ids.ts";
import type { Phase, RunStatus, WaitingFor } from "../domain/run.ts";
import type { AgentProgress } from "./agent-messages.ts";
import type { Work } from "./implement.ts";
import type { TreeStart } from "./landmarks.ts";
import type { RunNotes } from "./run-notes.ts";

/** Places of the story where nothing is under way, so that it can go on from there. */
export type Chapter =
  /** A change is written and judged; it goes out next. */
  | { kind: "publish"; work: Work }
  /** It is published and reviewed; its checks are waited for. */
  | { kind: "checks"; work: Work; since?: number }
  /** A person is asked. */
  | { kind: "approval"; work: Work };

/** What a person asked of the change that awaits approval. */
export type Wish =
  | { kind: "approved"; by: string; sha: string }
  | { kind: "changes-requested"; by: string; text: string };

export interface CarriedRun {
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
  /** What the coder's trees were made from; a run of an older version does not know. */
  trees?: TreeStart[];
  /** What was waited for in the present phase, and since when. */
  lastWait: Pick<WaitingFor, "kind" | "since"> | null;
  /** The same for the phase in which the run was paused. Absent when it comes from an older version. */
  waitBeforePause?: Pick<WaitingFor, "kind" | "since"> | null;
  planApprovedBy: string | null;
  phaseBeforePause: Phase | null;
  /** The id of the progress comment; null: there is none yet. */
  progressComment: number | null;
}
