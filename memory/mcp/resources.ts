/** What a client can read beside calling tools: the runs. */
import { ResourceTemplate, type McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { ErrorCode, McpError, type ReadResourceResult } from "@modelcontextprotocol/sdk/types.js";
import { parseRunId, runName } from "../../domain/ids.ts";
import { oneLine } from "../../domain/text.ts";
import type { McpParts } from "./parts.ts";
import { words } from "./tool.ts";

const JSON_TYPE = "application/json";
const LISTED = 50;

export function offerRuns(server: McpServer, parts: McpParts): void {
  const { runs } = parts;
  server.registerResource(
    "run",
    new ResourceTemplate("mergewright://runs/{+id}", {
      list: () =>
        told(parts, "runs", async () => ({
          resources: (await runs.listRuns({ limit: LISTED })).map((run) => ({
            uri: `mergewright://runs/${run.id}`,
            name: runName(run),
            description: `${run.phase}: ${oneLine(run.title, 200)}`,
            mimeType: JSON_TYPE,
          })),
        })),
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

/** @see https://modelcontextprotocol.io/specification/2025-11-25/server/resources#error-handling */
export const RESOURCE_NOT_FOUND = -32002;

async function readRun({ runs }: McpParts, id: string): Promise<object | null> {
  const known = parseRunId(decodeURIComponent(id));
  return known === null ? null : runs.getRun(known);
}

export function documentAt(uri: URL, document: unknown): ReadResourceResult {
  return { contents: [{ uri: uri.href, mimeType: JSON_TYPE, text: JSON.stringify(document, null, 2) }] };
}

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
