/** What a client can read beside calling tools: the runs, and what is remembered. */
import { ResourceTemplate, type McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { ErrorCode, McpError, type ReadResourceResult, type Resource } from "@modelcontextprotocol/sdk/types.js";
import { isRepositoryName, parseRunId, runName } from "../../domain/ids.ts";
import { scopeOfRepository, type MemoryScope } from "../../domain/memory.ts";
import { oneLine } from "../../domain/text.ts";
import { cleaned } from "./cleaned.ts";
import type { McpParts } from "./parts.ts";
import { summaryOf } from "./run-document.ts";
import { TIME_LIMIT_MS, words } from "./tool.ts";

const JSON_TYPE = "application/json";
const LISTED = 50;

export function offerRuns(server: McpServer, parts: McpParts): void {
  const { runs } = parts;
  server.registerResource(
    "run",
    new ResourceTemplate("mergewright://runs/{+id}", {
      list: () =>
        listed(parts, "runs", async () =>
          (await runs.listRuns({ limit: LISTED })).map((run) => ({
            uri: `mergewright://runs/${run.id}`,
            name: runName(run),
            description: `${run.phase}: ${oneLine(cleaned({ title: run.title }).title, 200)}`,
            mimeType: JSON_TYPE,
          })),
        ),
    }),
    { title: "Runs", description: "A run's whole status document, by its workflow id", mimeType: JSON_TYPE },
    (uri, { id }) =>
      told(parts, "run", async () => {
        const run = await readRun(parts, String(id));
        if (run === null) throw new McpError(RESOURCE_NOT_FOUND, `There is no run at ${uri.href}.`);
        return documentAt(uri, run);
      }),
  );
}

export function offerMemories(server: McpServer, parts: McpParts): void {
  const { experience } = parts.memories;
  const here = (): AbortSignal => AbortSignal.timeout(TIME_LIMIT_MS);
  server.registerResource(
    "memories",
    new ResourceTemplate("mergewright://memories/{owner}/{repo}", {
      list: () =>
        listed(parts, "memories", async () =>
          (await experience.scopes(here())).slice(0, LISTED).map(({ repository }) => ({
            uri: `mergewright://memories/${repository}`,
            name: repository,
            mimeType: JSON_TYPE,
          })),
        ),
    }),
    { title: "Memories", description: "All that is remembered of a repository, the newest first", mimeType: JSON_TYPE },
    (uri, { owner, repo }) =>
      told(parts, "memories", async () => {
        const memories = await experience.list(scopeAt(uri, owner, repo), {}, here());
        return documentAt(uri, memories);
      }),
  );
  server.registerResource(
    "memory",
    new ResourceTemplate("mergewright://memories/{owner}/{repo}/{id}", { list: undefined }),
    { title: "Memory", description: "One memory, by its id", mimeType: JSON_TYPE },
    (uri, { owner, repo, id }) =>
      told(parts, "memory", async () => {
        const [found] = await experience.list(scopeAt(uri, owner, repo), { id: String(id) }, here());
        if (found === undefined) throw new McpError(RESOURCE_NOT_FOUND, `There is no memory at ${uri.href}.`);
        return documentAt(uri, found);
      }),
  );
}

function scopeAt(uri: URL, owner: unknown, repo: unknown): MemoryScope {
  const repository = `${String(owner)}/${String(repo)}`;
  if (isRepositoryName(repository)) return scopeOfRepository(repository);
  throw new McpError(RESOURCE_NOT_FOUND, `${uri.href} names no repository.`);
}

/** @see https://modelcontextprotocol.io/specification/2025-11-25/server/resources#error-handling */
export const RESOURCE_NOT_FOUND = -32002;

async function readRun({ runs }: McpParts, id: string): Promise<object | null> {
  const text = decoded(id);
  const known = text === null ? null : parseRunId(text);
  return known === null ? null : runs.getRun(known);
}

/** Null: it is no text at all. */
function decoded(id: string): string | null {
  try {
    return decodeURIComponent(id);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

export function documentAt(uri: URL, document: unknown): ReadResourceResult {
  return { contents: [{ uri: uri.href, mimeType: JSON_TYPE, text: JSON.stringify(cleaned(document), null, 2) }] };
}

/**
 * One list is made of both: what cannot be listed must not take the other along, and is told in its place. Who reads what is told there
 * asks again.
 */
async function listed(
  parts: McpParts,
  what: "runs" | "memories",
  work: () => Promise<Resource[]>,
): Promise<{ resources: Resource[] }> {
  try {
    return { resources: await work() };
  } catch (error) {
    const description = words(error, () => parts.failed(error, what));
    const uri = `mergewright://${what}`;
    const name = `The ${what} cannot be listed now`;
    return { resources: [{ uri, name, title: name, description, mimeType: JSON_TYPE }] };
  }
}

/** Under the address that stands for all of them: what there is, or an error that says why it cannot be told. */
export function offerLists(server: McpServer, parts: McpParts): void {
  const { runs, memories } = parts;
  const lists = {
    runs: async () => (await runs.listRuns({ limit: LISTED })).map(summaryOf),
    memories: async () =>
      (await memories.experience.scopes(AbortSignal.timeout(TIME_LIMIT_MS))).map(({ repository }) => repository),
  };
  for (const what of ["runs", "memories"] as const)
    server.registerResource(
      `all-${what}`,
      new ResourceTemplate(`mergewright://${what}`, { list: undefined }),
      { title: `All ${what}`, description: LIST_SAYS[what], mimeType: JSON_TYPE },
      (uri) => told(parts, what, async () => documentAt(uri, await lists[what]())),
    );
}

const LIST_SAYS = { runs: "The latest runs", memories: "The repositories of which something is remembered" } as const;

/** A resource has no result that is an error: it is an error of the protocol. */
export async function told<T>(parts: McpParts, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof McpError) throw error;
    throw new McpError(
      ErrorCode.InternalError,
      words(error, () => parts.failed(error, what)),
    );
  }
}
