/** Whose word a message is: `--by`, or the account behind GITHUB_TOKEN. The run checks with GitHub what they may. */
import { createForge } from "../activities/adapters/github/forge.ts";
import type { Config } from "../config/config.ts";
import { isLogin, parseIssueWorkflowId } from "../domain/ids.ts";
import { UsageError } from "./errors.ts";

const silent = { debug: () => undefined, warn: () => undefined };

/** Throws UsageError where nobody is named and nobody can be asked. */
export async function loginFor(
  config: Config,
  runId: string,
  by: string | undefined,
  command: string,
): Promise<string> {
  checkLogin(by, command);
  if (by !== undefined) return by;
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

/** Throws UsageError where somebody is named by what is no login. */
export function checkLogin(by: string | undefined, command: string): void {
  if (by === undefined || isLogin(by)) return;
  throw new UsageError(`"${by.slice(0, 60)}" is not a GitHub login. Write --by LOGIN, without @.`, command);
}
