/** The merge queue, which only GraphQL knows: putting an approved head in, and seeing what became of it. */
import { RequestRefused, ServiceUnavailable } from "../../../domain/errors.ts";
import type { RepositoryName } from "../../../domain/ids.ts";
import type { Forge, QueueState } from "../../../domain/ports.ts";
import type { Client } from "./client.ts";
import { readPull } from "./pull.ts";

interface Entry {
  node: {
    state: "OPEN" | "CLOSED" | "MERGED";
    headRefOid: string;
    mergeCommit: { oid: string } | null;
    mergeQueueEntry: { position: number | null; state: string } | null;
    timelineItems: { nodes: { reason?: string | null }[] };
  } | null;
}

export function createQueue(
  client: Client,
): Pick<Forge, "mergeQueue"> & { enqueue(repository: RepositoryName, number: number, sha: string): Promise<void> } {
  const mergeQueue = async (repository: RepositoryName, number: number): Promise<QueueState> => {
    const pull = await readPull(client, repository, number);
    if (pull.merged) return { kind: "merged", sha: pull.merge_commit_sha ?? pull.head.sha };
    const action = `read the merge queue entry of ${repository}#${number}`;
    const { node } = (await client.graphql(repository, action, STATE, { id: pull.node_id })) as Entry;
    if (node?.mergeQueueEntry) {
      const { position, state } = node.mergeQueueEntry;
      return { kind: "queued", position, state };
    }
    // It may have been merged between the two questions.
    if (node?.state === "MERGED") return { kind: "merged", sha: node.mergeCommit?.oid ?? node.headRefOid };
    if (pull.state === "closed") return { kind: "closed" };
    const reason = node?.timelineItems.nodes.at(-1)?.reason ?? null;
    return { kind: "thrown-out", reason, headSha: node?.headRefOid ?? pull.head.sha };
  };

  return {
    mergeQueue,
    async enqueue(repository, number, sha) {
      const { node_id: id } = await readPull(client, repository, number);
      try {
        await client.graphql(repository, `put ${repository}#${number} into the merge queue`, ENQUEUE, { id, sha });
      } catch (error) {
        if (!(error instanceof ServiceUnavailable || error instanceof RequestRefused)) throw error;
        // The answer was lost, or it is in there already.
        const state = await mergeQueue(repository, number);
        if (state.kind !== "queued" && state.kind !== "merged") throw error;
      }
    },
  };
}

const ENQUEUE = `mutation ($id: ID!, $sha: GitObjectID!) {
  enqueuePullRequest(input: { pullRequestId: $id, expectedHeadOid: $sha }) { mergeQueueEntry { id position state } }
}`;

const STATE = `query ($id: ID!) {
  node(id: $id) {
    ... on PullRequest {
      state
      headRefOid
      mergeCommit { oid }
      mergeQueueEntry { position state }
      timelineItems(last: 1, itemTypes: [REMOVED_FROM_MERGE_QUEUE_EVENT]) {
        nodes { ... on RemovedFromMergeQueueEvent { reason } }
      }
    }
  }
}`;
