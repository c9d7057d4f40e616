/** Everything outside that a run touches, as few methods as we use. Adapters stand in `activities/adapters/`. */
import type Anthropic from "@anthropic-ai/sdk";
import type { ChangeSet } from "./change.ts";
import type { RepositoryName } from "./ids.ts";
import type { Departure, Memory, MemoryKind, MemoryScope, Taught } from "./memory.ts";
import type { KnownSandbox } from "./leftovers.ts";
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

/** A repository on this machine, as it is read to be remembered. Nothing of its own configuration is run. */
export interface SourceRepository {
  /** The hash of a commit, from a hash, a branch or `HEAD`. Throws NotFound. */
  resolve(revision: string, signal: AbortSignal): Promise<string>;
  /** Its regular files: path -> hash of the content. */
  tree(commit: string, signal: AbortSignal): Promise<Map<string, string>>;
  sizes(blobs: readonly string[], signal: AbortSignal): Promise<Map<string, number>>;
  contents(blobs: readonly string[], signal: AbortSignal): Promise<Map<string, Uint8Array>>;
  /** Hashes of the commit and of those before it, newest first, without merges. */
  history(commit: string, limit: number, signal: AbortSignal): Promise<string[]>;
  commits(hashes: readonly string[], signal: AbortSignal): Promise<CommitRecord[]>;
}

export interface CommitRecord {
  hash: string;
  atSeconds: number;
  message: string;
  /** Paths that it changed. */
  files: readonly string[];
}

export type { MemoryScope } from "./memory.ts";

/** Where in a repository something is. Scopes never see each other. */
export interface CodeIndex {
  /** Brings the index to a commit; reads and writes only what changed since the last. Safe to repeat and to interrupt. */
  index(
    scope: MemoryScope,
    source: SourceRepository,
    revision: string,
    options: { signal: AbortSignal; onProgress?: (progress: IndexProgress) => void },
  ): Promise<IndexReport>;
  /** The files that a text is about, best first. Throws NotFound where nothing is indexed. */
  search(scope: MemoryScope, text: string, options: { limit: number } & Asking): Promise<CodeHit[]>;
  /** The commit that it was brought to last; null: none yet. */
  indexed(scope: MemoryScope, signal: AbortSignal): Promise<string | null>;
  /** Forgets a repository. */
  remove(scope: MemoryScope, signal: AbortSignal): Promise<void>;
  /** The repositories of GitHub that are indexed, or were begun to be. */
  scopes(signal: AbortSignal): Promise<MemoryScope[]>;
}

export interface Asking {
  signal: AbortSignal;
  /** Told when the answer had to do with less than it should, such as words without embeddings. */
  note?: (text: string) => void;
}

export interface IndexProgress {
  step: "files" | "history";
  done: number;
  total: number;
}

export interface IndexReport {
  commit: string;
  /** All regular files of the commit, and how many of them were written or taken away now. */
  files: number;
  changed: number;
  removed: number;
  /** Commits remembered, and how many of them are new. */
  commits: number;
  newCommits: number;
  /** Nothing at all had to be done. */
  unchanged: boolean;
  /** Why the embeddings service made no vectors for some of it, which the next index asks again for. */
  lacking?: string;
}

export interface CodeHit {
  path: string;
  /** Comparable within one answer only. */
  score: number;
  /** Of the piece that fits best, counted from 1, both included. */
  lines: [from: number, to: number];
  why: string[];
  /** What each signal added to the score. */
  parts: { signal: string; points: number }[];
}

/** What was learnt and taught about a repository. Scopes never see each other. */
export interface Experience {
  /** Stores what is not there yet, replaces what has the same id, and reads back that it is there. */
  store(scope: MemoryScope, memories: readonly Memory[], signal: AbortSignal): Promise<Stored>;
  /** Gives vectors to what has none of today's embeddings model: it was away, or another one. Nothing to do where there is none. */
  embedRest(scope: MemoryScope, signal: AbortSignal): Promise<{ embedded: number } & Stored>;
  /** What somebody says, as a memory that can be stored. The same words of the same person are the same memory. */
  taught(said: { text: string; by: string; issue: number | null; at: string }): Taught;
  /** The newest first. */
  list(scope: MemoryScope, which: MemoryFilter, signal: AbortSignal): Promise<Memory[]>;
  /**
   * The memories that are most like a text, best first. `score` is calibrated: from 0 to 1, and it means the same on every store, with or
   * without embeddings (`memory/README.md` tells how). Those below `threshold` are left out.
   */
  search(
    scope: MemoryScope,
    text: string,
    options: { kinds?: readonly MemoryKind[]; limit: number; threshold?: number } & Asking,
  ): Promise<Recalled[]>;
  /**
   * Takes memories away; tells the ids of those that were there. An empty filter forgets all of the repository's, and what began before
   * is not to be stored any more.
   */
  forget(scope: MemoryScope, which: MemoryFilter, signal: AbortSignal): Promise<string[]>;
  /** The repositories that have any. */
  scopes(signal: AbortSignal): Promise<MemoryScope[]>;
  /** Notes that a repository has left its name, or an account all names of its own (`to` is the account then). The latest counts. */
  leave(name: MemoryScope | { tenant: string }, departure: Departure, signal: AbortSignal): Promise<void>;
  /** null: nobody ever left this name. */
  departure(scope: MemoryScope, signal: AbortSignal): Promise<Departure | null>;
}

export interface Stored {
  /** Why some of it is found by words alone for now; null: nothing is lacking. */
  lacking: string | null;
}

/** All that is named must fit. */
export interface MemoryFilter {
  id?: string;
  ids?: readonly string[];
  issue?: number;
  kinds?: readonly MemoryKind[];
}

export interface Recalled<Kind extends Memory = Memory> {
  memory: Kind;
  score: number;
}

/** What is remembered between runs. Each call throws what its store throws: a run goes on without it. */
export interface MemoryPort {
  code: CodeIndex;
  experience: Experience;
  close(): Promise<void>;
}
