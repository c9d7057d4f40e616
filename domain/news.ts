/** What GitHub remembers of what happened: for when its webhooks did not reach us. */
import type { Actor } from "./events.ts";
import type { RepositoryName } from "./ids.ts";
import type { IssueSnapshot } from "./run.ts";

/**
 * A part of the port `Forge`. `account` is any repository of the owner whose credentials are meant; times are ISO 8601.
 */
export interface ForgeNews {
  /** Repositories that our account may write to and that have issues: the most recently pushed ones, at most `limit`. */
  writableRepositories(account: RepositoryName, limit: number): Promise<RepositoryName[]>;
  /** Issues and pull requests of any state that changed since then, each once. */
  changedIssues(repository: RepositoryName, since: string): Promise<ChangedIssue[]>;
  /** Who labelled and who assigned, oldest first. */
  issueTriggers(repository: RepositoryName, number: number): Promise<IssueTrigger[]>;
  /** Comments on issues and pull requests that were made, and not edited, since then; on one of them, or on all. */
  newComments(repository: RepositoryName, since: string, number: number | null): Promise<NewComment[]>;
  reviews(repository: RepositoryName, pullRequest: number): Promise<PastReview[]>;
  /** Attempts to deliver since then, newest first. For an App only: GitHub tells nobody else without administration rights. */
  deliveryAttempts(account: RepositoryName, since: string): Promise<DeliveryAttempt[]>;
  /** The payload of a delivery. @throws NotFound when GitHub has forgotten it. */
  deliveryPayload(account: RepositoryName, id: number): Promise<unknown>;
}

export interface ChangedIssue extends IssueSnapshot {
  id: number;
  isPullRequest: boolean;
  open: boolean;
  openedBy: Actor | null;
  createdAt: string;
  assignees: string[];
}

export interface IssueTrigger {
  /** GitHub's id of the event: the same whenever it is read. */
  id: number;
  by: Actor | null;
  at: string;
  what: { kind: "labeled"; label: string } | { kind: "assigned"; assignee: Actor };
}

export interface NewComment {
  id: number;
  /** Of the issue or pull request. */
  number: number;
  by: Actor | null;
  body: string;
  at: string;
}

export interface PastReview {
  state: string;
  by: Actor | null;
  sha: string | null;
  text: string;
  at: string;
}

export interface DeliveryAttempt {
  id: number;
  guid: string;
  event: string;
  action: string | null;
  at: string;
  /** Of the receiver's answer; GitHub says 502 or the like where there was none. */
  status: number;
}

/** One attempt of each delivery that no receiver ever took (GitHub does not try again by itself), oldest first. */
export function missedDeliveries(attempts: readonly DeliveryAttempt[]): DeliveryAttempt[] {
  const taken = new Set(attempts.filter(({ status }) => status >= 200 && status < 300).map(({ guid }) => guid));
  const missed = new Map<string, DeliveryAttempt>();
  for (const attempt of attempts) {
    if (!taken.has(attempt.guid) && !missed.has(attempt.guid)) missed.set(attempt.guid, attempt);
  }
  return [...missed.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}
