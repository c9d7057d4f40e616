/** Draft or ready: a state that only GraphQL changes, or a label of ours where the repository cannot have drafts. */
import { RequestRefused, ServiceUnavailable } from "../../../domain/errors.ts";
import type { RepositoryName } from "../../../domain/ids.ts";
import type { Forge } from "../../../domain/ports.ts";
import type { Client } from "./client.ts";
import { DRAFT_LABEL, hasDraftLabel, readPull } from "./pull.ts";

export function createSetDraft(client: Client, issues: Pick<Forge, "addLabels" | "removeLabel">): Forge["setDraft"] {
  const mutate = async (repository: RepositoryName, number: number, nodeId: string, draft: boolean): Promise<void> => {
    const action = `turn pull request ${repository}#${number} into ${draft ? "a draft" : "one that is ready"}`;
    const query = draft ? TO_DRAFT : TO_READY;
    try {
      await client.graphql(repository, action, query, { id: nodeId });
    } catch (error) {
      if (!(error instanceof ServiceUnavailable || error instanceof RequestRefused)) throw error;
      // The answer was lost, or GitHub says that it is so already.
      if ((await readPull(client, repository, number)).draft !== draft) throw error;
    }
  };

  return async (repository, number, draft) => {
    const pull = await readPull(client, repository, number);
    if (!draft) {
      if (pull.draft) await mutate(repository, number, pull.node_id, false);
      if (hasDraftLabel(pull)) await issues.removeLabel(repository, number, DRAFT_LABEL);
      return;
    }
    if (pull.draft || hasDraftLabel(pull)) return;
    try {
      await mutate(repository, number, pull.node_id, true);
    } catch (error) {
      if (!(error instanceof RequestRefused)) throw error;
      client.log.warn({ repository, number }, "GitHub does not make this pull request a draft: a label stands for it");
      await issues.addLabels(repository, number, [DRAFT_LABEL]);
    }
  };
}

const TO_DRAFT = `mutation ($id: ID!) {
  convertPullRequestToDraft(input: { pullRequestId: $id }) { pullRequest { id isDraft } }
}`;

const TO_READY = `mutation ($id: ID!) {
  markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { id isDraft } }
}`;
