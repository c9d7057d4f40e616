/** The merge of exactly the approved head: guarded by its commit, and read back when the answer is lost. */
import { RequestRefused, ServiceUnavailable } from "../../../domain/errors.ts";
import type { RepositoryName } from "../../../domain/ids.ts";
import type { Forge, MergeInput, MergeResult } from "../../../domain/ports.ts";
import type { Client } from "./client.ts";
import { makeOrFind } from "./once.ts";
import { DRAFT_LABEL, type GitHubPull, hasDraftLabel, readPull } from "./pull.ts";

export function createMerge(
  client: Client,
  enqueue: (repository: RepositoryName, number: number, sha: string) => Promise<void>,
): Forge["merge"] {
  return async (repository, number, input) => {
    const settled = settle(await readPull(client, repository, number), input);
    if (settled) return settled;

    const put = async (): Promise<MergeResult> => {
      const merged = await client.ask(repository, `merge pull request ${repository}#${number}`, (api, at) =>
        api.pulls.merge({ ...at, pull_number: number, sha: input.sha, merge_method: input.method }),
      );
      return { kind: "merged", sha: merged.sha };
    };
    const readBack = async (): Promise<MergeResult | null> => {
      const pull = await readPull(client, repository, number);
      return pull.merged ? settle(pull, input) : null;
    };
    try {
      return await makeOrFind(put, readBack);
    } catch (error) {
      if (!(error instanceof RequestRefused)) throw error;
      if (error.status === 409) {
        return settle(await readPull(client, repository, number), input) ?? retryLater(error);
      }
      if (error.status === 405 && QUEUE_DEMANDED.test(error.message)) {
        await enqueue(repository, number, input.sha);
        return { kind: "queued" };
      }
      if (error.status === 405 && BASE_MOVED.test(error.message)) retryLater(error);
      if (error.status !== 405 && error.status !== 422) throw error;
      // An attempt before this one, overtaken while GitHub was at it, may have merged it meanwhile: then that is why.
      const settled = settle(await readPull(client, repository, number), input);
      return settled ?? { kind: "not-mergeable", reason: error.message };
    }
  };
}

/** The base branch takes nothing but from its queue. */
const QUEUE_DEMANDED = /merge queue/i;

/** Somebody merged into the base at the same moment; GitHub itself says to try again. */
const BASE_MOVED = /base branch was modified/i;

function retryLater(error: RequestRefused): never {
  throw new ServiceUnavailable(error.service, error.message, { cause: error });
}

/** What is already decided before any attempt; null when the merge may be tried. */
function settle(pull: GitHubPull, input: MergeInput): MergeResult | null {
  if (pull.merged) return { kind: "merged", sha: pull.merge_commit_sha ?? pull.head.sha };
  if (pull.state === "closed") return { kind: "closed" };
  if (pull.head.sha !== input.sha) return { kind: "head-moved", headSha: pull.head.sha };
  if (hasDraftLabel(pull))
    return { kind: "not-mergeable", reason: `It is still a draft: it carries the label ${DRAFT_LABEL}.` };
  return null;
}
