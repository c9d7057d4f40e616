/** What the tools at `/mcp` stand on: the API's runs and its rules of who may what. */
import { CHANGES_NEED_TOKEN } from "../api/guard.ts";
import { refusePermission, type Changes, type PermissionOf } from "../api/changes.ts";
import type { Log } from "../api/log.ts";
import type { Runs } from "../api/runs.ts";
import type { Config } from "../config/config.ts";
import { productVersion } from "../config/version.ts";
import { isRepositoryName, type RepositoryName } from "../domain/ids.ts";
import { scopeOfRepository } from "../domain/memory.ts";
import type { Asking, MemoryPort } from "../domain/memory-ports.ts";
import { ToolRefused, type McpParts } from "../memory/mcp/parts.ts";

interface Behind {
  runs: Runs;
  changes: Changes;
  permissionOf: PermissionOf;
  memory: MemoryPort;
  /** How much alike an earlier issue must be to count as similar. */
  thresholdOf(repository: RepositoryName): number;
  log: Log;
}

export function mcpOverHttp(
  { apiToken }: Pick<Config, "apiToken">,
  { runs, changes, permissionOf, memory, thresholdOf, log }: Behind,
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
    memories: {
      experience: memory.experience,
      threshold: thresholdOf,
      async teacher(repository, given) {
        if (given === undefined) throw new ToolRefused("by: name the GitHub login of the person who teaches it.");
        const refusal = await refusePermission(permissionOf, repository, given);
        if (refusal !== null) throw new ToolRefused(refusal.message);
        return given;
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
  memory: MemoryPort,
  repository: string,
  query: string,
  options: { limit: number } & Asking,
): ReturnType<McpParts["code"]["search"]> {
  const scope = scopeOfRepository(repository);
  return { repository: scope.repository, hits: await memory.code.search(scope, query, options) };
}
