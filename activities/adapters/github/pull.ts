/** A pull request as GitHub tells it, and in our words. */
import type { RepositoryName } from "../../../domain/ids.ts";
import type { PullRequest } from "../../../domain/ports.ts";
import type { Api, Client } from "./client.ts";

export type GitHubPull = Awaited<ReturnType<Api["pulls"]["get"]>>["data"];

/** Stands for the draft state where the repository cannot have drafts. */
export const DRAFT_LABEL = "mergewright:draft";

export function readPull(client: Client, repository: RepositoryName, number: number): Promise<GitHubPull> {
  const action = `read pull request ${repository}#${number}`;
  return client.ask(repository, action, (api, at) => api.pulls.get({ ...at, pull_number: number }));
}

export function hasDraftLabel(pull: GitHubPull): boolean {
  return pull.labels.some((label) => label.name === DRAFT_LABEL);
}

export function toPullRequest(pull: GitHubPull): PullRequest {
  return {
    number: pull.number,
    url: pull.html_url,
    headRef: pull.head.ref,
    headSha: pull.head.sha,
    baseRef: pull.base.ref,
    // GitHub tells no repository when that of the head was deleted.
    sameRepository: (pull.head.repo as { id: number } | null)?.id === pull.base.repo.id,
    draft: pull.draft === true || hasDraftLabel(pull),
    state: pull.state,
    merged: pull.merged,
    mergeSha: pull.merged ? pull.merge_commit_sha : null,
    mergeable: pull.mergeable,
    behind: pull.mergeable_state === "behind",
  };
}
