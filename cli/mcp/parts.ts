/** What the tools stand on for the person at this machine: what they may do on the command line, a program of theirs may do here. */
import { userInfo } from "node:os";
import { isAbsolute } from "node:path";
import type { Changes } from "../../api/changes.ts";
import type { Runs } from "../../api/runs.ts";
import type { Config } from "../../config/config.ts";
import { productVersion } from "../../config/version.ts";
import { isRepositoryName } from "../../domain/ids.ts";
import type { MemoryPort } from "../../domain/memory-ports.ts";
import { ToolRefused, type McpParts } from "../../memory/mcp/parts.ts";
import type { Log } from "../../workers/log.ts";
import { searchRemembered, startBy } from "../../workers/mcp.ts";
import { loginFor } from "../login.ts";
import { localMemory } from "../memory/open.ts";
import type { Terminal } from "../terminal.ts";

interface Behind {
  runs: Runs;
  changes: Changes;
  memory: MemoryPort;
  log: Log;
  /** Who the person says to be; else the account of GITHUB_TOKEN. */
  by: string | undefined;
}

export function mcpParts(config: Config, terminal: Terminal, { runs, changes, memory, log, by }: Behind): McpParts {
  return {
    version: productVersion(),
    runs,
    start: startBy(changes),
    loginFor: (id, given) => loginFor(config, id, given ?? by, "mcp"),
    code: {
      repositories:
        "The folder of a Git repository on this machine (absolute, or beginning with a dot), or OWNER/NAME of one that Mergewright works on. Default: the repository in which the server was started.",
      async search(repository = ".", query, options) {
        if (!isAbsolute(repository) && !repository.startsWith(".")) {
          if (isRepositoryName(repository)) return searchRemembered(memory, repository, query, options);
          throw new ToolRefused("repository: write OWNER/NAME, or a folder that begins with / or a dot.");
        }
        const local = await localMemory(memory.code, terminal.env, terminal.cwd, repository);
        // Nothing is read where nothing has changed, so that an answer is never about an older commit.
        await local.index("HEAD", options);
        return { repository: local.repository, hits: await local.search(query, options) };
      },
    },
    memories: {
      experience: memory.experience,
      threshold: (repository) => config.settingsFor(repository).memory.similarity_threshold,
      teacher: async (_repository, given) => given ?? by ?? userInfo().username,
    },
    readOnly: null,
    failed: (error, tool) => log.error({ err: error, tool }, "a tool failed"),
  };
}
