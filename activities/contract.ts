/** What each activity takes and gives. All of it is small: contents travel through the artifact store by key. */
import type { Brief } from "../domain/brief.ts";
import type { Delivery, IssueEvent } from "../domain/events.ts";
import type { RepositoryName, Role } from "../domain/ids.ts";
import type { Review } from "../domain/outputs.ts";
import type {
  CheckReport,
  CommentRef,
  MergeResult,
  PullRequest,
  PushResult,
  QueueState,
  StatusReport,
  Viewer,
} from "../domain/ports.ts";
import type { IssueSnapshot, Permission, TestRun } from "../domain/run.ts";
import type { RepositorySettings, RunSettings } from "../domain/settings.ts";
import type { MemoryActivities, Teaching } from "./memory-contract.ts";
import type { StoredTurn } from "./conversation.ts";

/** The run that an activity works for. */
export interface RunRef {
  /** Drawn once, carried through continue-as-new: names what the run keeps in the artifact store and in sandboxes. */
  runKey: string;
  /** Its workflow id. */
  id: string;
  repository: RepositoryName;
  issue: number;
}

/** Where a run starts from, and where it pushes to. */
export interface Ground {
  cloneUrl: string;
  defaultBranch: string;
  private: boolean;
  viewer: Viewer;
  title: string;
  issueUrl: string;
  issueAuthor: string | null;
  /** Parts of the issue that a reader of the page does not see: taken out before the agents read it. */
  hiddenParts: number;
  /** What is wrong with the clock of the worker that asked; null: nothing. Absent when it comes from an older version. */
  wrongClock?: string | null;
}

export interface Base {
  commit: string;
  /** The command that runs the whole suite, and how it was found; null when none was found. */
  test: { command: string; why: string } | null;
  /** True when the base commit itself has checks, or may have: then the pull request will get some too. */
  hasChecks: boolean;
}

/** A tree that is safe in the artifact store: the commit, and the chain of bundles that leads to it. */
export interface Checkpoint {
  commit: string;
  tree: string;
  conversation: string;
}

/** What a workspace is made from: a commit of the mirror, and what an agent did on top of it. */
export interface WorkspaceRef {
  run: RunRef;
  /** Distinguishes the sandboxes of one run. */
  purpose: string;
  commit: string;
  checkpoint: Checkpoint | null;
}

/** What was recalled for a run, by its keys in the artifact store; null, or absent: nothing. */
export interface RecalledKeys {
  issues?: string | null;
  code?: string | null;
}

/** A brief as workflows send it: the diff of a review, and what was remembered, stay in the artifact store. */
export type BriefRef =
  | (Omit<Brief & { kind: "classify" }, "remembered"> & { recalled?: RecalledKeys })
  | (Omit<Brief & { kind: "plan" }, "remembered"> & { recalled?: RecalledKeys })
  | (Omit<Brief & { kind: "implement" }, "remembered"> & { recalled?: RecalledKeys })
  | Extract<Brief, { kind: "revise" }>
  | (Omit<Brief & { kind: "review" }, "patch" | "patchTruncated" | "files"> & { headSha: string });

/** What the user side of a turn says. */
export type Said =
  | { kind: "brief"; brief: BriefRef }
  /** The tools that the last reply asked for: they run first, and their results are what is said, with a note of ours. */
  | { kind: "results"; calls: ToolCallRef[]; note?: string }
  /** The last reply was cut by its token limit: its calls may be incomplete, so none of them runs. */
  | { kind: "cut-off"; calls: ToolCallRef[] }
  | { kind: "text"; text: string }
  /** The last reply was paused by the server: the same conversation is sent on. */
  | { kind: "continue" };

export interface ToolCallRef {
  id: string;
  name: string;
  onlyReads: boolean;
  /** One line for the Web UI. */
  summary: string;
  /** Equal for equal calls; absent in turns of older versions. */
  digest?: string;
}

export interface TakeTurnInput {
  role: Role;
  conversation: string;
  turn: number;
  /** The stored turn before this one, or null at the start. */
  previous: string | null;
  said: Said;
  /** Where the tools run. */
  workspace: WorkspaceRef;
  /** The commit under review: findings count on the lines that it changed. null for other roles. */
  reviewOf: string | null;
  /** What an earlier attempt was answered and could not store. */
  unsaved?: UnsavedReply | undefined;
}

/** A reply that goes with the failure of its turn, so that whoever tries again pays for no second one. */
export interface UnsavedReply {
  key: string;
  reply: StoredTurn["reply"];
}

/** The facts of one turn that the workflow decides by. The reply itself is in the artifact store, under `key`. */
export interface Turn {
  key: string;
  stopReason: string;
  calls: ToolCallRef[];
  /** The answer of a role that returns data, or what is wrong with it; null while tools are called. */
  answer:
    | null
    | { kind: "text"; text: string }
    | { kind: "data"; value: unknown }
    | { kind: "invalid"; problem: string };
  /** The last tree that is safe: that of the tools of this turn, or the one from before. */
  checkpoint: Checkpoint | null;
  /** The task queue of the worker that took it, and keeps the sandbox. */
  home: string;
  costUsd: number;
  inputTokens: number;
  outputTokens: number;
  requestBytes: number;
  /** How long it was worked on, by the worker that finished it: no waiting in line. Absent in turns of older versions. */
  workedMs?: number;
  /** Of the results that were said: equal for equal results. null when none were said, absent in turns of older versions. */
  resultsDigest?: string | null;
}

/** Where a fork goes on, in its own place of the artifact store; `gone`: it was removed with its run. */
export type TakenOver =
  | { kind: "taken"; turn: Pick<Turn, "key" | "stopReason" | "calls" | "answer" | "checkpoint"> }
  | { kind: "gone"; reason: string };

export interface Violation {
  rule: string;
  path: string;
  detail: string;
  severity: "refuse" | "ask-human";
}

/** One commit of ours, made from what the coder left, with what the host found in it. */
export interface Change {
  headSha: string;
  empty: boolean;
  files: { path: string; status: string; additions: number | null; deletions: number | null }[];
  changedTestPaths: string[];
  /** Base plus the changed tests only; null when no test changed. */
  baseWithNewTests: string | null;
  violations: Violation[];
  /** Paths that had a conflict and still hold its markers. */
  unresolved: string[];
}

/** What others did, brought into our branch: `theirs` is their newest commit. */
export type BroughtIn =
  | { kind: "merged"; base: string; theirs: string; change: Change }
  /** `from` is a commit whose files hold the conflict; ours, made from it, shall have `parents`. */
  | { kind: "conflict"; base: string; theirs: string; from: string; parents: string[]; paths: string[] }
  /** Somebody took our commits off the branch while we had more of them. */
  | { kind: "rewritten"; actual: string }
  /** The branch is not there any more. */
  | { kind: "gone" };

export interface RunTestsInput {
  workspace: WorkspaceRef;
  on: TestRun["on"];
  command: string;
  timeoutMs: number;
}

export type Admission =
  | { kind: "ignore"; reason: string }
  | { kind: "start"; workflowId: string }
  | { kind: "signal"; workflowId: string; event: IssueEvent }
  | { kind: "teach"; teaching: Teaching }
  | { kind: "forget"; repositories: RepositoryName[] }
  /** `since`: when it happened on GitHub. */
  | { kind: "rename"; from: string; to: string; since: string };

export interface Activities extends MemoryActivities {
  admitDelivery(input: { delivery: Delivery }): Promise<Admission>;
  startRun(input: { delivery: Delivery }): Promise<{ workflowId: string; started: boolean }>;
  signalRun(input: { workflowId: string; event: IssueEvent }): Promise<{ delivered: boolean }>;

  openRun(input: {
    run: RunRef;
    snapshot: IssueSnapshot | null;
    settings: RunSettings;
    /** Of the chain of executions; absent in histories of older versions. */
    firstRunId?: string;
  }): Promise<Ground>;
  prepareBase(input: { run: RunRef; ground: Ground }): Promise<Base>;
  /**
   * Copies a conversation up to a turn (from 1), with its tree and the commits that it stands on, from another run. The tree was
   * made after `since` turns.
   */
  takeOver(input: {
    run: RunRef;
    from: Pick<RunRef, "id" | "runKey">;
    role: Role;
    turn: number;
    since: number;
    commits: string[];
    /** Of the chain of executions; absent in histories of older versions. */
    firstRunId?: string;
  }): Promise<TakenOver>;
  /** What happened on GitHub to the issue and its pull request since then, oldest first; some of it may have been heard. */
  readNews(input: { run: RunRef; pullRequest: number | null; since: string }): Promise<IssueEvent[]>;
  checkPermission(input: { run: RunRef; login: string }): Promise<Permission>;

  takeTurn(input: TakeTurnInput): Promise<Turn>;
  closeSandbox(input: { run: RunRef; purpose: string }): Promise<void>;

  collectChange(input: {
    run: RunRef;
    base: string;
    /** The commit that the coder's working tree was made from. */
    from: string;
    /** The commits to build upon: the last one pushed, or the base; two for a merge. */
    parents: string[];
    /** null: the coder has changed nothing. */
    checkpoint: Checkpoint | null;
    /** Paths that had a conflict. */
    conflicts: string[];
    title: string;
    /** ISO 8601: when the run started; makes the commit the same when made again. */
    date: string;
    round: number;
    summary: string;
    viewer: Viewer;
  }): Promise<Change>;
  /** Merges what others did into our branch: the base that moved on, or commits pushed to the branch itself. */
  bringIn(input: {
    run: RunRef;
    ground: Ground;
    what: "base" | "head";
    /** The base that the change stands on. */
    base: string;
    /** Our newest commit; null: nothing of it is missing on the branch, which counts as it is. */
    ours: string | null;
    /** What we pushed last. */
    pushed: string | null;
    /** ISO 8601: when the run started. */
    date: string;
  }): Promise<BroughtIn>;
  runTests(input: RunTestsInput): Promise<TestRun>;

  pushBranch(input: { run: RunRef; ground: Ground; commit: string; expected: string | null }): Promise<PushResult>;
  openPullRequest(input: { run: RunRef; ground: Ground; title: string; body: string }): Promise<PullRequest>;
  readPullRequest(input: { run: RunRef; number: number }): Promise<PullRequest>;
  editPullRequest(input: {
    run: RunRef;
    number: number;
    edit: { title?: string; body?: string; state?: "open" | "closed" };
  }): Promise<void>;
  setDraft(input: { run: RunRef; number: number; draft: boolean }): Promise<void>;
  /** null: the token may not read checks, as a fine-grained one may not for private repositories. */
  readChecks(input: {
    run: RunRef;
    sha: string;
    branch: string;
  }): Promise<{ reports: CheckReport[]; required: string[] } | null>;
  /** What failed checks tell of themselves, for the coder: cut to what fits into a message. */
  explainChecks(input: { run: RunRef; failures: CheckReport[] }): Promise<string>;
  /** Our reviewer's words on GitHub, as a review of one commit. */
  postReview(input: { run: RunRef; number: number; sha: string; round: number; review: Review }): Promise<void>;
  readMergeQueue(input: { run: RunRef; number: number }): Promise<QueueState>;
  reportStatus(input: { run: RunRef; sha: string; report: StatusReport }): Promise<void>;
  mergePullRequest(input: {
    run: RunRef;
    number: number;
    sha: string;
    method: RepositorySettings["merge_method"];
    /** Who approved; asked of GitHub once more. null: the settings merge without asking. */
    approvedBy: string | null;
  }): Promise<MergeResult | { kind: "approver-lost-permission"; reason: string }>;

  putComment(input: {
    run: RunRef;
    number: number;
    comment: { marker: string; body: string; id: number | null };
  }): Promise<Omit<CommentRef, "body">>;
  addLabels(input: { run: RunRef; number: number; labels: readonly string[] }): Promise<void>;
  removeLabel(input: { run: RunRef; number: number; label: string }): Promise<void>;
  assign(input: { run: RunRef; number: number; login: string }): Promise<void>;
  react(input: { run: RunRef; target: { issue: number } | { comment: number } }): Promise<void>;
  closeIssue(input: { run: RunRef }): Promise<void>;
}
