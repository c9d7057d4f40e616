/** GitHub behind the port `Forge`: the pieces in this folder, put together over one client. */
import type { Forge } from "../../../domain/ports.ts";
import { createAccounts } from "./accounts.ts";
import { createChecks } from "./checks.ts";
import { createClient } from "./client.ts";
import { createComments } from "./comments.ts";
import { createSetDraft } from "./draft.ts";
import { createIssues } from "./issues.ts";
import { createMerge } from "./merge.ts";
import { createNews } from "./news.ts";
import type { ForgeOptions } from "./options.ts";
import { createPulls } from "./pulls.ts";
import { createQueue } from "./queue.ts";
import { createRequired } from "./required.ts";
import { createReviews } from "./reviews.ts";

export { checkGitHub, type GitHubCheck } from "./doctor.ts";
export type { ForgeOptions } from "./options.ts";

export function createForge(options: ForgeOptions): Forge {
  const client = createClient(options);
  const accounts = createAccounts(client);
  const issues = createIssues(client);
  const queue = createQueue(client);
  const setDraft = createSetDraft(client, issues);
  return {
    ...accounts,
    ...issues,
    ...createComments(client, accounts.viewer),
    ...createPulls(client, { repository: accounts.repository, setDraft }),
    ...createNews(client),
    ...createChecks(client, options.checkName ?? "mergewright"),
    setDraft,
    ...createRequired(client),
    ...createReviews(client, accounts.viewer),
    merge: createMerge(client, queue.enqueue),
    mergeQueue: queue.mergeQueue,
  };
}
