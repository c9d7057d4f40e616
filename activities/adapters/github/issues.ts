/** Issues: reading, closing, labels, assignment, reactions. Each may be repeated: GitHub keeps sets, not lists. */
import { NotFound, RequestRefused } from "../../../domain/errors.ts";
import type { RepositoryName } from "../../../domain/ids.ts";
import type { Forge } from "../../../domain/ports.ts";
import type { Client } from "./client.ts";
import { toIssue } from "./issue.ts";

type IssueMethods = Pick<Forge, "issue" | "closeIssue" | "addLabels" | "removeLabel" | "assign" | "react">;

export function createIssues(client: Client): IssueMethods {
  const read = (repository: RepositoryName, number: number) =>
    client.ask(repository, `read ${repository}#${number}`, (api, at) =>
      api.issues.get({ ...at, issue_number: number }),
    );

  return {
    async issue(repository, number) {
      const issue = await read(repository, number);
      return {
        ...toIssue(issue),
        // A transferred issue is found where it now is.
        repository: /\/repos\/([^/]+\/[^/]+)$/.exec(issue.repository_url)?.[1] ?? repository,
        updatedAt: issue.updated_at,
        state: issue.state === "closed" ? "closed" : "open",
      };
    },

    async closeIssue(repository, number) {
      // Looked at first: closing a closed issue would overwrite why somebody else closed it.
      if ((await read(repository, number)).state === "closed") return;
      await client.ask(repository, `close ${repository}#${number}`, (api, at) =>
        api.issues.update({ ...at, issue_number: number, state: "closed", state_reason: "completed" }),
      );
    },

    async addLabels(repository, number, labels) {
      if (labels.length === 0) return;
      await client.ask(repository, `label ${repository}#${number}`, (api, at) =>
        api.issues.addLabels({ ...at, issue_number: number, labels: [...labels] }),
      );
    },

    async removeLabel(repository, number, label) {
      try {
        await client.ask(repository, `remove a label from ${repository}#${number}`, (api, at) =>
          api.issues.removeLabel({ ...at, issue_number: number, name: label }),
        );
      } catch (error) {
        if (!(error instanceof NotFound)) throw error;
        // The label is gone already, or the issue is: only the first is fine.
        await read(repository, number);
      }
    },

    async assign(repository, number, login) {
      const issue = await client.ask(repository, `assign ${login} to ${repository}#${number}`, (api, at) =>
        api.issues.addAssignees({ ...at, issue_number: number, assignees: [login] }),
      );
      // GitHub leaves out whom it cannot assign and calls it a success.
      if (issue.assignees?.some((assignee) => assignee.login.toLowerCase() === login.toLowerCase())) return;
      const text = `GitHub did not assign ${login} to ${repository}#${number}: only people with access can be assigned, and no App.`;
      throw new RequestRefused("GitHub", 422, text);
    },

    async react(repository, target, content) {
      if ("issue" in target) {
        await client.ask(repository, `react to ${repository}#${target.issue}`, (api, at) =>
          api.reactions.createForIssue({ ...at, issue_number: target.issue, content }),
        );
      } else {
        await client.ask(repository, `react to a comment in ${repository}`, (api, at) =>
          api.reactions.createForIssueComment({ ...at, comment_id: target.comment, content }),
        );
      }
    },
  };
}
