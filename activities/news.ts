/** What a run may have missed of its issue and pull request: read from GitHub, and told as the events that should have come. */
import { type EventPullRequest, routeDelivery } from "../domain/delivery.ts";
import { NotFound } from "../domain/errors.ts";
import type { IssueEvent } from "../domain/events.ts";
import { isFork, type RepositoryName, sameRepository } from "../domain/ids.ts";
import type { Forge, PullRequest } from "../domain/ports.ts";
import type { RunEvent } from "../domain/read-delivery.ts";
import type { IssueSnapshot } from "../domain/run.ts";
import type { RunSettings, Triggers } from "../domain/settings.ts";
import type { Activities, RunRef } from "./contract.ts";
import { working } from "./temporal.ts";

export interface NewsParts {
  forge: Forge;
  triggers: Triggers;
  settingsFor(repository: RepositoryName): RunSettings;
}

export function createNews({ forge, triggers, settingsFor }: NewsParts): Pick<Activities, "readNews"> {
  return {
    readNews: ({ run, pullRequest: number, since }) =>
      working(async (): Promise<IssueEvent[]> => {
        const { repository } = run;
        const at = new Date().toISOString();
        // What is said on the issue, and becomes of it, is for the run that it started, not for its forks.
        const fork = isFork(run.id);
        const issue = await existing(forge, run);
        if (issue === null && fork) return [];
        if (issue === null) return [{ kind: "issue-changed", change: "deleted", by: null, at }];
        const pullRequest = number === null ? null : await forge.pullRequest(repository, number);
        const told = [
          ...(fork ? [] : await commands(repository, issue, since, false)),
          ...(number === null ? [] : await commands(repository, { ...issue, number }, since, true)),
          ...(pullRequest === null ? [] : await reviews(repository, pullRequest, since)),
        ];
        const events = told.flatMap(toEvent).sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
        // Facts come last: what people said before they closed it was said to a run at work.
        if (pullRequest !== null) events.push(standing(pullRequest, at));
        if (fork) return events;
        if (!sameRepository(issue.repository, repository))
          events.push({ kind: "issue-changed", change: "transferred", by: null, at });
        else if (issue.state === "closed") events.push({ kind: "issue-changed", change: "closed", by: null, at });
        return events;
      }),
  };

  async function commands(
    repository: RepositoryName,
    issue: IssueSnapshot,
    since: string,
    isPullRequest: boolean,
  ): Promise<RunEvent[]> {
    const comments = await forge.newComments(repository, since, issue.number);
    return comments.map(({ id, by, body, at }) => ({
      guid: `comment-${id}`,
      repository,
      sender: by,
      at,
      name: "comment",
      commentId: id,
      body,
      issue: { snapshot: issue, open: true, isPullRequest },
    }));
  }

  async function reviews(repository: RepositoryName, pullRequest: PullRequest, since: string): Promise<RunEvent[]> {
    const found = await forge.reviews(repository, pullRequest.number);
    return found
      .filter(({ at }) => Date.parse(at) >= Date.parse(since))
      .map(({ by: author, at, ...review }) => ({
        guid: `review-${at}`,
        repository,
        sender: author,
        at,
        name: "review",
        review: { ...review, author },
        pullRequest: eventPullRequest(repository, pullRequest),
      }));
  }

  /** By the rules of webhooks. What starts a run is none of a run's business. */
  function toEvent(event: RunEvent): IssueEvent[] {
    const routed = routeDelivery(event, { triggers, ourLogin: null });
    if (routed.kind === "ignore") return [];
    const { intent, at, sender } = routed.delivery;
    switch (intent.kind) {
      case "start":
      case "forget":
      case "rename":
        return [];
      case "teach": {
        const { text, commentId } = intent;
        // As the intake has it, which ignored the same comment.
        return sender && settingsFor(event.repository).memory.enabled
          ? [{ kind: "command", command: { verb: "remember", text }, by: sender.login, at, commentId }]
          : [];
      }
      case "signal":
      case "signal-by-pull-request":
        return [intent.event];
    }
  }
}

/** null: it was deleted. */
async function existing(
  forge: Forge,
  { repository, issue }: RunRef,
): Promise<Awaited<ReturnType<Forge["issue"]>> | null> {
  try {
    return await forge.issue(repository, issue);
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    // Unless it is the repository that we may no longer see.
    await forge.repository(repository);
    return null;
  }
}

function standing({ number, state, merged, mergeSha, headSha }: PullRequest, at: string): IssueEvent {
  if (state === "open") return { kind: "head-pushed", sha: headSha, by: null, at };
  return { kind: "pull-request-closed", pullRequest: number, merged, mergeSha, by: null, at };
}

function eventPullRequest(repository: RepositoryName, pullRequest: PullRequest): EventPullRequest {
  const { number, headRef, headSha, merged, mergeSha, sameRepository: ours } = pullRequest;
  // Only whether the head stands in the same repository counts.
  return { number, headRef, headSha, headRepository: ours ? repository : null, merged, mergeSha };
}
