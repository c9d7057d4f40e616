/** Pull requests: one for each head branch, a draft until it is ready, merged as approved or not at all. */
import { NotFound, RequestRefused } from "../../../domain/errors.ts";
import type { RepositoryName } from "../../../domain/ids.ts";
import type { Forge, PullRequest, PullRequestInput } from "../../../domain/ports.ts";
import type { Client } from "./client.ts";
import { inTurn, makeOrFind } from "./once.ts";
import { readPull, toPullRequest } from "./pull.ts";
import { fitBody, fitLine, MAX_TITLE } from "./text.ts";

type PullMethods = Pick<Forge, "openPullRequest" | "pullRequest" | "editPullRequest">;

export function createPulls(client: Client, forge: Pick<Forge, "repository" | "setDraft">): PullMethods {
  const pullRequest = async (repository: RepositoryName, number: number): Promise<PullRequest> =>
    toPullRequest(await readPull(client, repository, number));

  /** The open one of the branch; else the closed one whose head the branch still has (an older one is of the past). */
  const findByHead = async (repository: RepositoryName, branch: string): Promise<number | null> => {
    const head = `${repository.split("/")[0]}:${branch}`;
    const listed = await client.all(repository, `look for the pull request of ${branch}`, (api, at) =>
      api.pulls.list({ ...at, head, state: "all", sort: "created", direction: "desc" }),
    );
    // GitHub leaves a filter out that it does not understand, so the answer is filtered again.
    const ours = listed.filter((pull) => pull.head.ref === branch && pull.head.repo?.id === pull.base.repo.id);
    const open = ours.find((pull) => pull.state === "open");
    if (open) return open.number;
    const latest = ours[0];
    if (latest === undefined) return null;
    const sha = await branchHead(repository, branch);
    return sha === null || sha === latest.head.sha ? latest.number : null;
  };

  const branchHead = async (repository: RepositoryName, branch: string): Promise<string | null> => {
    try {
      const action = `read the branch ${branch} of ${repository}`;
      const ref = await client.ask(repository, action, (api, at) => api.git.getRef({ ...at, ref: `heads/${branch}` }));
      return ref.object.sha;
    } catch (error) {
      if (error instanceof NotFound) return null;
      throw error;
    }
  };

  const create = async (repository: RepositoryName, input: PullRequestInput): Promise<number> => {
    const { head, base, draft } = input;
    const pull = await client.ask(repository, `open the pull request of ${head} in ${repository}`, (api, at) =>
      api.pulls.create({ ...at, head, base, draft, title: fitLine(input.title, MAX_TITLE), body: fitBody(input.body) }),
    );
    return pull.number;
  };

  const makeOrFindPull = async (repository: RepositoryName, input: PullRequestInput): Promise<number> => {
    try {
      return await makeOrFind(
        () => create(repository, input),
        () => findByHead(repository, input.head),
      );
    } catch (error) {
      if (!(error instanceof RequestRefused)) throw error;
      if (input.draft && /draft/i.test(error.message)) {
        client.log.warn(
          { repository },
          "Drafts are not to be had in this repository: an ordinary pull request with a label",
        );
        return await makeOrFindPull(repository, { ...input, draft: false });
      }
      if (!/already exists/i.test(error.message)) throw error;
      // There is one that our search did not see: the owner changed its name, or it was opened meanwhile.
      const { fullName } = await forge.repository(repository);
      const found = await findByHead(fullName, input.head);
      if (found === null) throw error;
      return found;
    }
  };

  return {
    pullRequest,

    openPullRequest(repository, input) {
      return inTurn(`${repository.toLowerCase()} ${input.head}`, async () => {
        const number = (await findByHead(repository, input.head)) ?? (await makeOrFindPull(repository, input));
        const found = await pullRequest(repository, number);
        if (!input.draft || found.draft || found.state === "closed") return found;
        await forge.setDraft(repository, number, true);
        return { ...found, draft: true };
      });
    },

    async editPullRequest(repository, number, { title, body, state }) {
      await client.ask(repository, `edit pull request ${repository}#${number}`, (api, at) =>
        api.pulls.update({
          ...at,
          pull_number: number,
          ...(title !== undefined && { title: fitLine(title, MAX_TITLE) }),
          ...(body !== undefined && { body: fitBody(body) }),
          ...(state !== undefined && { state }),
        }),
      );
    },
  };
}
