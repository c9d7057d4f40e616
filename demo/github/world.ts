/** Everything that the played GitHub knows; plain data, so that it can be kept in one file. */
import type { Permission } from "../../domain/run.ts";

export interface World {
  /** One counter for all ids, as a promise that none is used twice. */
  nextId: number;
  accounts: Account[];
  apps: App[];
  installations: Installation[];
  installationTokens: { token: string; installationId: number; expiresAt: string }[];
  repositories: Repository[];
  webhook: Webhook | null;
}

export interface Account {
  id: number;
  login: string;
  type: "User" | "Bot" | "Organization";
  /** null: it cannot sign in (bots, organisations). */
  token: string | null;
}

export interface App {
  id: number;
  slug: string;
  /** PEM: the App's own tokens are checked against it. */
  publicKey: string;
  permissions: Record<string, string>;
  events: string[];
}

export interface Installation {
  id: number;
  appId: number;
  /** The account whose repositories it may see. */
  owner: string;
  suspendedAt: string | null;
}

export interface Webhook {
  url: string;
  secret: string;
}

export interface Repository {
  id: number;
  owner: string;
  name: string;
  /** `owner/name` in lower case, from before it was renamed or transferred. */
  formerNames: string[];
  private: boolean;
  archived: boolean;
  defaultBranch: string;
  createdAt: string;
  pushedAt: string;
  /** By login; the owner is an admin without an entry. */
  permissions: Record<string, Permission>;
  /** Some private repositories on free plans have none. */
  draftsAllowed: boolean;
  mergeMethods: MergeMethod[];
  protection: Protection | null;
  /** How long after a push `mergeable` stays null here, in milliseconds; absent: as everywhere on this server. */
  mergeableDelayMs?: number;
  labels: Label[];
  nextNumber: number;
  issues: Issue[];
  statuses: Status[];
  checkRuns: CheckRun[];
}

export type MergeMethod = "merge" | "squash" | "rebase";

/** What the default branch asks of a pull request before it may be merged. */
export interface Protection {
  approvals: number;
  checks: string[];
  /** A branch must hold the newest base. */
  strict?: boolean;
  /** Nothing is merged but by the merge queue. */
  queue?: boolean;
}

export interface Label {
  id: number;
  name: string;
  color: string;
  description: string | null;
}

/** An issue, or a pull request when `pull` is set: GitHub numbers both together. */
export interface Issue {
  id: number;
  number: number;
  title: string;
  body: string | null;
  /** null: the account was deleted. */
  author: string | null;
  labels: string[];
  assignees: string[];
  state: "open" | "closed";
  stateReason: string | null;
  closedBy: string | null;
  locked: boolean;
  deleted: boolean;
  createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  comments: Comment[];
  reactions: Reaction[];
  pull: Pull | null;
}

export interface Comment {
  id: number;
  author: string | null;
  body: string;
  createdAt: string;
  updatedAt: string;
  reactions: Reaction[];
}

export interface Reaction {
  id: number;
  login: string;
  content: string;
  createdAt: string;
}

export interface Pull {
  id: number;
  headRef: string;
  headSha: string;
  baseRef: string;
  baseSha: string;
  draft: boolean;
  merged: boolean;
  mergedAt: string | null;
  mergedBy: string | null;
  mergeSha: string | null;
  /** When head or base last moved: GitHub needs a moment to compute `mergeable` again. */
  movedAt: string;
  reviews: Review[];
  /** In the merge queue; a test decides what becomes of it. */
  queued?: { headSha: string; enqueuedAt: string } | null;
  /** Why it was last taken out of the merge queue. */
  dequeuedBecause?: string | null;
}

export interface Review {
  id: number;
  author: string | null;
  body: string;
  /** PENDING: a draft, which its author alone sees. */
  state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "DISMISSED" | "PENDING";
  commitId: string;
  /** Of a draft: when it was begun. */
  submittedAt: string;
  comments?: { path: string; line: number; body: string }[];
}

/** Without drafts. */
export function submittedReviews({ reviews }: Pull): Review[] {
  return reviews.filter(({ state }) => state !== "PENDING");
}

export interface Status {
  id: number;
  sha: string;
  state: "error" | "failure" | "pending" | "success";
  context: string;
  description: string | null;
  targetUrl: string | null;
  creator: string;
  createdAt: string;
}

export interface CheckRun {
  id: number;
  sha: string;
  name: string;
  externalId: string;
  status: "queued" | "in_progress" | "completed";
  conclusion: string | null;
  title: string | null;
  summary: string | null;
  text: string | null;
  annotations?: { path: string; line: number; message: string }[];
  log?: string;
  detailsUrl: string | null;
  /** null: made by the test through the admin API, as if by GitHub Actions. */
  appId: number | null;
  startedAt: string;
  completedAt: string | null;
}

export function emptyWorld(): World {
  return {
    nextId: 1001,
    accounts: [],
    apps: [],
    installations: [],
    installationTokens: [],
    repositories: [],
    webhook: null,
  };
}

export function findAccount(world: World, login: string): Account | undefined {
  return world.accounts.find((account) => account.login.toLowerCase() === login.toLowerCase());
}

/** The repository of this name, or of this former name. */
export function findRepository(world: World, fullName: string): Repository | undefined {
  const wanted = fullName.toLowerCase();
  return (
    world.repositories.find((repository) => `${repository.owner}/${repository.name}`.toLowerCase() === wanted) ??
    world.repositories.find((repository) => repository.formerNames.includes(wanted))
  );
}

export function fullName(repository: Repository): string {
  return `${repository.owner}/${repository.name}`;
}
