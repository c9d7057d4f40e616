/** The API with /mcp behind a real server: what the tests of MCP share. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, afterEach, beforeAll } from "vitest";
import { createChanges, type PermissionOf } from "../../api/changes.ts";
import { listen, type Listening } from "../../api/server.ts";
import type { MemoryPort } from "../../domain/memory-ports.ts";
import { createMcpHandler } from "../../memory/mcp/http.ts";
import { mcpOverHttp } from "../../workers/mcp.ts";
import { createMemory } from "../../workers/memory.ts";
import { createTestApi, createWorld, TOKEN, type TestApi, type World } from "./support.ts";

export const HEAD = "a".repeat(40);
const permissionOf: PermissionOf = async (_repository, login) => (login === "stranger" ? "read" : "write");

export interface McpOverApi {
  readonly world: World;
  readonly memory: MemoryPort;
  apiWith(apiToken: string | null, runs?: World["runs"], remembered?: MemoryPort): TestApi;
  /** Until the end of the test. */
  serve(apiToken?: string | null, remembered?: MemoryPort): Promise<Listening>;
  /** Until the end of the test. */
  connect(url: string, token?: string | null): Promise<Client>;
}

/** Opens what the tests of a file ask before them, and closes it behind them. */
export function mcpOverApi(): McpOverApi {
  let world: World;
  let home: string;
  let memory: MemoryPort;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "mergewright-mcp-"));
    memory = createMemory({ home, qdrant: null, embeddings: null });
    world = await createWorld();
  });
  afterAll(async () => {
    await world.stop();
    await memory.close();
    rmSync(home, { recursive: true, force: true });
  });

  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });

  function apiWith(apiToken: string | null, runs = world.runs, remembered = memory): TestApi {
    const logged: string[] = [];
    const note = (fields: object, message: string) => void logged.push(`${message} ${JSON.stringify(fields)}`);
    const log = { info: note, warn: note, error: note };
    const changes = createChanges(runs, permissionOf);
    const parts = mcpOverHttp(
      { apiToken },
      { runs, changes, permissionOf, memory: remembered, thresholdOf: () => 0.7, log },
    );
    return { ...createTestApi({ runs, apiToken, permissionOf, mcp: createMcpHandler(parts) }), logged };
  }

  return {
    get world() {
      return world;
    },
    get memory() {
      return memory;
    },
    apiWith,
    async serve(apiToken = TOKEN, remembered = memory) {
      const { app } = apiWith(apiToken, world.runs, remembered);
      const listening = await listen(app, { host: "127.0.0.1", port: 0, apiToken });
      open.push(listening);
      return listening;
    },
    async connect(url, token = TOKEN) {
      const client = new Client({ name: "a test", version: "1" });
      const requestInit = token === null ? {} : { headers: { authorization: `Bearer ${token}` } };
      await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
      open.push(client);
      return client;
    },
  };
}

export async function call(
  client: Client,
  name: string,
  input: object = {},
): Promise<CallToolResult & { text: string }> {
  const result = (await client.callTool({ name, arguments: { ...input } })) as CallToolResult;
  const text = result.content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
  return { ...result, text };
}
