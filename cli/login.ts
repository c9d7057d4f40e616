/** Whose word a message is: `--by`, or the account behind GITHUB_TOKEN. The run checks with GitHub what they may. */
import { createForge } from "../activities/adapters/github/forge.ts";
import type { Config } from "../config/config.ts";
import { parseIssueWorkflowId } from "../domain/ids.ts";
import { UsageError } from "./errors.ts";

const LOGIN = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/;

const silent = { debug: () => undefined, warn: () => undefined };

/** Throws UsageError where nobody is named and nobody can be asked. */
export async function loginFor(
  config: Config,
  runId: string,
  by: string | undefined,
  command: string,
): Promise<string> {
  if (by !== undefined) {
    if (LOGIN.test(by)) return by;
    throw new UsageError(`"${by.slice(0, 60)}" is not a GitHub login. Write --by LOGIN, without @.`, command);
  }
  const repository = parseIssueWorkflowId(runId)?.repository ?? "";
  const auth = config.tenants.get(repository.split("/")[0] ?? "")?.githubAuth ?? config.github.auth;
  if (auth?.kind !== "token") {
    throw new UsageError(
      "It is not known who you are: there is no GITHUB_TOKEN. Write --by with your GitHub login.",
      command,
    );
  }
  const { apiUrl, graphqlUrl } = config.github;
  const forge = createForge({ apiUrl, graphqlUrl, auth, tenant: "cli", log: silent, timeoutMs: 10_000 });
  return (await forge.viewer(repository)).login;
}
