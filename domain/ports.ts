/** Everything outside that a run touches, as few methods as we use. Adapters stand in `activities/adapters/`. */
import type Anthropic from "@anthropic-ai/sdk";
import type { ChangeSet } from "./change.ts";
import type { RepositoryName } from "./ids.ts";
import type { KnownSandbox } from "./leftovers.ts";
import type { SourceRepository } from "./memory-ports.ts";
import type { TokenUsage } from "./money.ts";
import type { ForgeNews } from "./news.ts";
import type { IssueSnapshot, Permission } from "./run.ts";

/** Claude. Throws RateLimited, ServiceUnavailable, AccessDenied, RequestRefused. */
export interface Model {
  reply(request: ModelRequest, options: { signal: AbortSignal; onProgress: () => void }): Promise<ModelReply>;
}

/** The sandbox engine. Throws SandboxUnavailable when none can be made, SandboxLost when one stops answering. */
export interface Sandboxes {
  readonly kind: "docker" | "local";
  /** Opens the sandbox of this key, or finds it open: safe to repeat, cheap when already open in this process. */
  open(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox>;
  /** Ends the sandbox and everything in it. A key that is not open is fine. */
  close(key: string): Promise<void>;
  /** The sandboxes of our installation that are there, whichever worker made them. */
  known(): Promise<KnownSandbox[]>;
}

export interface Sandbox {
  /** Where the working tree stands inside, and where scratch files may: absolute paths, both on the quota. */
  readonly tree: string;
  readonly scratch: string;
  /**
   * Runs a shell command once: a repeated key re-attaches to the running command or reads the finished one. An abort ends the command,
   * whoever began it; one whose reason is LeftToAnother leaves it running.
   */
  run(command: SandboxCommand, signal: AbortSignal): Promise<CommandResult>;
  /** Reads a regular file. Relative paths start at `tree`; a path that leads outside, also by links, is `outside`. */
  read(path: string, maxBytes: number, signal: AbortSignal): Promise<FileRead>;
  /** Writes a regular file atomically and makes its folders. With `key`, a repeated write is not made again. */
  write(
    path: string,
    content: Uint8Array,
    options: { key?: string; mode?: number },
    signal: AbortSignal,
  ): Promise<FileWrite>;
  /**
   * Whether anything in the tree may have changed since the file `mark` was made: false only when nothing did. Far cheaper than
   * asking Git; Git's own folder does not count.
   */
  changedSince(mark: string, signal: AbortSignal): Promise<boolean>;
  /** What the journal holds for a key: `null` when nothing was ever claimed under it. */
  journal(key: string, signal: AbortSignal): Promise<CommandResult | FileWrite | null>;
}

export interface SandboxSpec {
  /** Unique among all sandboxes, `RUNKEY-purpose`: letters, digits and dashes, at most 63. */
  key: string;
  runKey: string;
  /** Of the run. */
  workflowId: string;
  repository: RepositoryName;
  /** null: the default image. */
  image: string | null;
  memory: string | null;
  cpus: number | null;
  pids: number;
  workspace: string;
}

export interface SandboxCommand {
  /** Unique in this sandbox. */
  key: string;
  /** A bash script. Each runs in a fresh process; `session` carries directory and exported variables between them. */
  script: string;
  timeoutMs: number;
  /** Kept of the merged output: this many bytes from its head and as many from its tail. */
  keepBytes: number;
  /** Commands with one session name share working directory and exported variables. Absent: a clean start in `tree`. */
  session?: string;
  env?: Readonly<Record<string, string>>;
}

export type CommandResult = { output: CommandOutput; durationMs: number } & (
  | { kind: "exited"; exitCode: number }
  | { kind: "timed-out" }
  /** It was claimed, never finished, and nothing of it is left running: its effects are not known. */
  | { kind: "unknown" }
);

export interface CommandOutput {
  head: Uint8Array;
  tail: Uint8Array;
  /** All bytes printed; more than head and tail together when the middle was left out. */
  totalBytes: number;
}

export type FileRead =
  | { kind: "file"; content: Uint8Array; totalBytes: number }
  | { kind: "directory"; entries: string[] }
  | { kind: "missing" | "outside" | "not-regular" };

export type FileWrite =
  | { kind: "written" }
  | { kind: "outside" | "not-regular" }
  | { kind: "no-space"; message: string };

/** Bare mirrors on the worker's side. The host never runs Git in a tree that an agent touched. */
export interface Mirror {
  /** Brings the mirror up to date and tells the commit of the branch. */
  fetch(repository: RepositoryName, cloneUrl: string, branch: string, signal: AbortSignal): Promise<string>;
  /** Whether the mirror of this machine holds the commit with all that it needs; false also where there is no mirror yet. */
  has(repository: RepositoryName, commit: string, signal: AbortSignal): Promise<boolean>;
  /** A bundle of the commit with its history, under the ref `refs/heads/base`; what `without` has is left out. */
  bundle(repository: RepositoryName, commit: string, without: string | null, signal: AbortSignal): Promise<Uint8Array>;
  /** Takes in what `bundle` made on another machine; tells the commit. */
  restore(repository: RepositoryName, bundle: Uint8Array, signal: AbortSignal): Promise<string>;
  /** Takes a sandbox's bundle in, with object checks, into quarantine; tells the commit of its one ref. */
  take(repository: RepositoryName, bundle: Uint8Array, signal: AbortSignal): Promise<string>;
  /** What changed between two commits; read by plumbing. */
  diff(repository: RepositoryName, base: string, head: string, signal: AbortSignal): Promise<ChangeSet>;
  /** Regular files of a commit with these exact paths; missing ones are left out. */
  files(
    repository: RepositoryName,
    commit: string,
    paths: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, Uint8Array>>;
  /** The mirror as the memory reads it. Throws NotFound where this machine has none yet. */
  source(repository: RepositoryName): Promise<SourceRepository>;
  /** Paths of a commit, all of them. */
  paths(repository: RepositoryName, commit: string, signal: AbortSignal): Promise<string[]>;
  /** E-mail addresses of the authors and committers of the commits that `head` has and `base` has not, each once. */
  authors(repository: RepositoryName, base: string, head: string, signal: AbortSignal): Promise<string[]>;
  /** What merging two commits gives: a tree, for a commit of ours. Nothing is checked out. */
  merge(repository: RepositoryName, sides: { ours: string; theirs: string }, signal: AbortSignal): Promise<MergedTree>;
  /** The newest commit that both have; null when they share none. */
  mergeBase(repository: RepositoryName, one: string, other: string, signal: AbortSignal): Promise<string | null>;
  /** One commit of ours: the tree of `treeOf` on top of `parent`. The same input makes the same commit. */
  commit(repository: RepositoryName, input: CommitInput, signal: AbortSignal): Promise<string>;
  /** A commit of ours: `onto` with the given paths as they are in `from` (deleted where `from` has none). */
  overlay(
    repository: RepositoryName,
    input: { onto: string; from: string; paths: readonly string[] },
    signal: AbortSignal,
  ): Promise<string>;
  /** Pushes one commit to one branch of ours, never by force over a commit that is not ours. */
  push(repository: RepositoryName, cloneUrl: string, input: PushInput, signal: AbortSignal): Promise<PushResult>;
}

export interface MergedTree {
  tree: string;
  /** Paths that both sides changed in ways that do not go together; their content in the tree carries Git's markers. */
  conflicts: string[];
}

export interface CommitInput {
  /** A commit, or a tree. */
  treeOf: string;
  parents: readonly string[];
  message: string;
  author: { name: string; email: string };
  /** ISO 8601; fixed for a run, so that the commit is the same when made again. */
  date: string;
}

export interface PushInput {
  branch: string;
  commit: string;
  /** What the branch is expected to be: the commit that we pushed last, or null when it must not exist yet. */
  expected: string | null;
}

export type PushResult = { kind: "pushed" } | { kind: "already-there" } | { kind: "moved"; actual: string | null };

/** GitHub. Throws RateLimited, ServiceUnavailable, AccessDenied, RequestRefused, NotFound. */
export interface Forge extends ForgeNews {
  viewer(repository: RepositoryName): Promise<Viewer>;
  repository(repository: RepositoryName): Promise<RepositoryFacts>;
  permission(repository: RepositoryName, login: string): Promise<Permission>;
  issue(
    repository: RepositoryName,
    number: number,
  ): Promise<IssueSnapshot & { state: "open" | "closed"; isPullRequest: boolean }>;
  /** Closes the issue as completed; fine when it is closed already. */
  closeIssue(repository: RepositoryName, number: number): Promise<void>;
  /** Our comment that carries the marker, or null. */
  findComment(repository: RepositoryName, number: number, marker: string): Promise<CommentRef | null>;
  /** Finds our comment by its marker (or by the id known) and edits it, or makes it. Never makes two. */
  putComment(
    repository: RepositoryName,
    number: number,
    comment: { marker: string; body: string; id: number | null },
  ): Promise<CommentRef>;
  addLabels(repository: RepositoryName, number: number, labels: readonly string[]): Promise<void>;
  removeLabel(repository: RepositoryName, number: number, label: string): Promise<void>;
  assign(repository: RepositoryName, number: number, login: string): Promise<void>;
  react(
    repository: RepositoryName,
    target: { issue: number } | { comment: number },
    content: "eyes" | "rocket" | "+1" | "confused",
  ): Promise<void>;
  /** Finds the pull request by its head branch, open or not, or opens it. */
  openPullRequest(repository: RepositoryName, input: PullRequestInput): Promise<PullRequest>;
  pullRequest(repository: RepositoryName, number: number): Promise<PullRequest>;
  editPullRequest(
    repository: RepositoryName,
    number: number,
    edit: { title?: string; body?: string; state?: "open" | "closed" },
  ): Promise<void>;
  /** Draft or ready: by GraphQL, or by the label `mergewright:draft` where drafts are not to be had. */
  setDraft(repository: RepositoryName, number: number, draft: boolean): Promise<void>;
  checks(repository: RepositoryName, sha: string): Promise<CheckReport[]>;
  /** Names of the checks that a branch requires before a merge: by branch protection and by rulesets. */
  requiredChecks(repository: RepositoryName, branch: string): Promise<string[]>;
  /** What a failed check tells of itself: its annotations, its text, the end of its log; as far as the token may read them. */
  checkDetails(repository: RepositoryName, check: CheckReport): Promise<string>;
  report(repository: RepositoryName, sha: string, report: StatusReport): Promise<void>;
  /** Our review of one commit, found by its marker or made: comments on lines where the diff has them, else all in the body. */
  putReview(repository: RepositoryName, number: number, review: ReviewInput): Promise<{ id: number; url: string }>;
  /**
   * Merges exactly the approved head, or puts it into the merge queue where the branch demands one. Reads back after a lost
   * answer, so that it never merges twice.
   */
  merge(repository: RepositoryName, number: number, input: MergeInput): Promise<MergeResult>;
  /** Where a pull request stands that was put into the merge queue. */
  mergeQueue(repository: RepositoryName, number: number): Promise<QueueState>;
  /** A token for clone and push, used at once and never kept. */
  gitToken(repository: RepositoryName): Promise<string>;
}

export interface Viewer {
  login: string;
  id: number;
  kind: "user" | "app";
}

export interface RepositoryFacts {
  /** As GitHub spells it now, after renames. */
  fullName: RepositoryName;
  cloneUrl: string;
  defaultBranch: string;
  private: boolean;
}

export interface CommentRef {
  id: number;
  url: string;
  body: string;
}

export interface PullRequestInput {
  head: string;
  base: string;
  title: string;
  body: string;
  draft: boolean;
}

export interface PullRequest {
  number: number;
  url: string;
  headRef: string;
  headSha: string;
  baseRef: string;
  /** False when the head branch stands in another repository. */
  sameRepository: boolean;
  draft: boolean;
  state: "open" | "closed";
  merged: boolean;
  mergeSha: string | null;
  /** null: GitHub is still computing it. */
  mergeable: boolean | null;
  /** The branch must have the newest base before it may be merged, and has not. */
  behind: boolean;
}

export interface ReviewInput {
  /** Hidden in the body: by it and our account the review is known again. */
  marker: string;
  commitId: string;
  body: string;
  comments: readonly ReviewComment[];
}

export interface ReviewComment {
  path: string;
  /** A line of the new version of the file. */
  line: number;
  body: string;
}

export interface CheckReport {
  /** The check run's id; null for a commit status. */
  id: number | null;
  name: string;
  /** `neutral` covers neutral, skipped and stale: neither stops a merge. */
  state: "pending" | "success" | "failure" | "neutral";
  url: string | null;
  summary: string | null;
  /** Made by us. */
  ours: boolean;
}

export interface StatusReport {
  kind: "check-run" | "commit-status";
  state: "pending" | "success" | "failure";
  title: string;
  summary: string;
  url: string | null;
  /** Makes a check run known again. */
  externalId: string;
}

export interface MergeInput {
  sha: string;
  method: "merge" | "squash" | "rebase";
}

export type MergeResult =
  | { kind: "merged"; sha: string }
  | { kind: "head-moved"; headSha: string }
  | { kind: "not-mergeable"; reason: string }
  | { kind: "queued" }
  | { kind: "closed" };

export type QueueState =
  | { kind: "merged"; sha: string }
  | { kind: "queued"; position: number | null; state: string }
  /** It was taken out unmerged; `reason` is GitHub's word for why, where it told one. */
  | { kind: "thrown-out"; reason: string | null; headSha: string }
  | { kind: "closed" };

/** Bytes by key. A key is written once and then read; `put` is atomic and may be repeated. */
export interface Artifacts {
  put(key: string, content: Uint8Array): Promise<void>;
  /**
   * Of several that write one key the first counts, and what it wrote stays. False: there is something already, which may be this
   * caller's own when the answer to an earlier try was lost.
   */
  putIfAbsent(key: string, content: Uint8Array): Promise<boolean>;
  /** null: there is none under this key. */
  get(key: string): Promise<Uint8Array | null>;
  /** Everything under a folder (`runs/KEY`, without a slash at its end), in no order. */
  list(folder: string): AsyncIterable<StoredArtifact>;
  /** The names of the folders directly in a folder. */
  folders(folder: string): AsyncIterable<string>;
  /** Removes everything under a folder, or what was written before that time. May be repeated; a folder that is not there is fine. */
  remove(folder: string, writtenBefore?: Date): Promise<void>;
}

export interface StoredArtifact {
  key: string;
  changedAt: Date;
}

export interface ModelRequest {
  model: string;
  system: Anthropic.TextBlockParam[];
  messages: Anthropic.MessageParam[];
  tools: Anthropic.ToolUnion[];
  maxTokens: number;
  /** JSON schema of the answer, for roles that return data. */
  outputSchema: Record<string, unknown> | null;
}

export interface ModelReply {
  content: Anthropic.ContentBlock[];
  stopReason: Anthropic.StopReason;
  usage: TokenUsage;
  model: string;
  /** Bytes of the request as sent. */
  requestBytes: number;
}
