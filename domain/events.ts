/**
 * What a webhook delivery says, reduced to what a run needs. `readDelivery` (in `domain/delivery.ts`) makes it from
 * GitHub's payload at the door; from there on it is trusted in shape, never in authority.
 */
import type { RepositoryName } from "./ids.ts";
import type { IssueSnapshot } from "./run.ts";

/** The account behind an event. `id` is GitHub's numeric id; null for a deleted account. */
export interface Actor {
  login: string;
  id: number;
  isBot: boolean;
}

/** One delivery, with the issue or pull request that it is about. */
export interface Delivery {
  /** `X-GitHub-Delivery`. */
  guid: string;
  repository: RepositoryName;
  /** null: nobody (a deleted account, or GitHub itself). */
  sender: Actor | null;
  /** When it happened on GitHub, ISO 8601: decides whether it is newer than the end of an earlier run. */
  at: string;
  intent: Intent;
}

/** What `routeDelivery` decided, before permission is asked. */
export type Intent =
  /** A trigger: starts a run when the sender may. `reactTo` is the comment that asked, if one did. */
  | { kind: "start"; issue: number; snapshot: IssueSnapshot; trigger: TriggerKind; reactTo: number | null }
  /** Something that a run of this issue wants to know, or one fork of it. */
  | { kind: "signal"; issue: number; fork?: number; event: IssueEvent }
  /** The same, about a pull request whose head branch the payload does not tell: the run is found by asking GitHub. */
  | { kind: "signal-by-pull-request"; pullRequest: number; event: IssueEvent }
  /** A person wants something remembered about the repository. */
  | { kind: "teach"; issue: number; text: string; commentId: number }
  /** These repositories are no longer ours to know: taken from our App, deleted, or handed to another owner. */
  | { kind: "forget"; repositories: RepositoryName[] }
  /** The same repository, or all of an account's, is called otherwise now: both are `owner/name`, or both an owner. */
  | { kind: "rename"; from: string; to: string };

export type TriggerKind = "opened" | "labeled" | "assigned" | "comment" | "command-line" | "api";

/** The signal `githubEvent`: what happened on GitHub to an issue that has a run. */
export type IssueEvent =
  | { kind: "command"; command: SlashCommand; by: string; at: string; commentId: number }
  /** `by` is the review's author, also when somebody else dismissed it; "ghost", as GitHub says, when the account is gone. */
  | {
      kind: "review";
      state: "approved" | "changes-requested" | "dismissed";
      by: string;
      sha: string;
      text: string;
      at: string;
    }
  | { kind: "head-pushed"; sha: string; by: string | null; at: string }
  | {
      kind: "pull-request-closed";
      pullRequest: number;
      merged: boolean;
      mergeSha: string | null;
      by: string | null;
      at: string;
    }
  | { kind: "pull-request-reopened"; pullRequest: number; sha: string; by: string | null; at: string }
  | { kind: "checks-changed"; sha: string; at: string }
  /** News may have been missed: the run reads its issue and pull request. */
  | { kind: "look-again"; at: string }
  | {
      kind: "issue-changed";
      change: "closed" | "reopened" | "edited" | "unlabeled" | "transferred" | "deleted";
      by: string | null;
      at: string;
    };

/** `/mergewright VERB [text]`, alone on the first line of a comment. */
export type SlashCommand =
  | { verb: "run" }
  | { verb: "cancel" }
  | { verb: "approve" | "approve-plan" | "pause" | "resume" }
  | { verb: "revise" | "reject" | "answer"; text: string }
  | { verb: "remember"; text: string }
  | { verb: "budget"; usd: number };
