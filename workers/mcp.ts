/** What the tools at `/mcp` stand on: the API's runs and its rules of who may what. */
import { CHANGES_NEED_TOKEN } from "../api/guard.ts";
import type { Changes } from "../api/changes.ts";
import type { Log } from "../api/log.ts";
import type { Runs } from "../api/runs.ts";
import type { Config } from "../config/config.ts";
import { productVersion } from "../config/version.ts";
import { isRepositoryName } from "../domain/ids.ts";
import { ToolRefused, type McpParts } from "../memory/mcp/parts.ts";
import type { MemoryAccess } from "./memory-access.ts";

export function mcpOverHttp(
  { apiToken }: Pick<Config, "apiToken">,
  { runs, changes, memory, log }: { runs: Runs; changes: Changes; memory: MemoryAccess; log: Log },
): McpParts {
  return {
    version: productVersion(),
    runs,
    start: startBy(changes),
    async loginFor(_id, given) {
      if (given !== undefined) return given;
      throw new ToolRefused("by: name the GitHub login in whose name this is said; the run asks GitHub what it may.");
    },
    code: {
      repositories: "OWNER/NAME of a repository that Mergewright works on",
      async search(repository, query, options) {
        if (repository === undefined || !isRepositoryName(repository))
          throw new ToolRefused("repository: write OWNER/NAME of a repository that Mergewright works on.");
        return searchRemembered(memory, repository, query, options);
      },
    },
    readOnly: apiToken === null ? CHANGES_NEED_TOKEN.message : null,
    failed: (error, tool) => log.error({ err: error, tool }, "a tool of /mcp failed"),
  };
}

export function startBy(changes: Changes): McpParts["start"] {
  return async (input) => {
    const started = await changes.start(input);
    if (!started.ok) throw new ToolRefused(started.problem.message);
    return { id: started.id, started: started.started };
  };
}

/** A repository of GitHub, as it was indexed for the runs. */
export async function searchRemembered(
  memory: MemoryAccess,
  repository: string,
  query: string,
  options: { limit: number; signal: AbortSignal },
): ReturnType<McpParts["code"]["search"]> {
  const code = await memory.code();
  const name = repository.toLowerCase();
  return {
    repository: name,
    hits: await code.search({ tenant: name.split("/")[0]!, repository: name }, query, options),
  };
}
