import { describe, expect, test } from "vitest";
import { issueWorkflowId } from "../../domain/ids.ts";
import { call, HEAD, mcpOverApi } from "./mcp-support.ts";
import { createTestApi, TOKEN } from "./support.ts";

const at = mcpOverApi();

const HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const bearer = { ...HEADERS, authorization: `Bearer ${TOKEN}` };
const message = (body: unknown, headers: Record<string, string> = bearer): RequestInit => ({
  method: "POST",
  headers,
  body: typeof body === "string" ? body : JSON.stringify(body),
});
const listTools = { jsonrpc: "2.0", id: 1, method: "tools/list" };

describe("the door of /mcp", () => {
  test.each([
    ["no token", HEADERS],
    ["a wrong token", { ...HEADERS, authorization: "Bearer wrong" }],
    ["a cookie", { ...HEADERS, cookie: `mergewright_session=${TOKEN}` }],
  ])("is closed to %s", async (_what, headers) => {
    const { app } = at.apiWith(TOKEN);
    const response = await app.request("/mcp", message(listTools, headers));
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="mergewright"']);
  });

  test("is closed to the pages of others, token or not", async () => {
    for (const token of [TOKEN, null]) {
      const { app } = at.apiWith(token);
      const foreign = message(listTools, { ...bearer, origin: "https://evil.example" });
      expect((await app.request("http://localhost/mcp", foreign)).status).toBe(403);
      const own = message(listTools, { ...bearer, origin: "http://localhost" });
      expect((await app.request("http://localhost/mcp", own)).status).toBe(200);
    }
    const { app } = at.apiWith(null);
    expect((await app.request("http://evil.example/mcp", message(listTools, HEADERS))).status).toBe(403);
  });

  test.each([
    ["a huge body", message(" ".repeat(300_000)), 413],
    ["no JSON", message("{"), 400],
    ["JSON of great depth", message("[".repeat(5_000)), 400],
    ["a list of messages", message([listTools, listTools]), 400],
    ["no message of the protocol", message({ hello: 1 }), 400],
    ["a body of another type", message(listTools, { ...bearer, "content-type": "text/plain" }), 415],
    ["a client that takes no JSON", message(listTools, { ...bearer, accept: "text/html" }), 406],
    ["a stream to listen to", { headers: bearer }, 405],
    ["a session to end", { method: "DELETE", headers: bearer }, 405],
  ])("refuses %s", async (_what, request, status) => {
    const { app } = at.apiWith(TOKEN);
    const response = await app.request("/mcp", request);
    expect([response.status, await response.json()]).toEqual([
      status,
      expect.objectContaining({
        jsonrpc: "2.0",
        error: expect.objectContaining({ code: expect.any(Number) as number }) as object,
      }),
    ]);
  });

  test("is not opened faster than the rest of the API", async () => {
    const { app } = createTestApi({ rate: { burst: 3, perSecond: 0.001 } });
    const answers = await Promise.all([1, 2, 3, 4].map(async () => app.request("/mcp", message(listTools))));
    expect(answers.map(({ status }) => status).filter((status) => status === 429)).toHaveLength(1);
  });

  test("hides what went wrong inside, and logs it", async () => {
    const broken = { ...at.world.runs, listRuns: () => Promise.reject(new TypeError("secret detail")) };
    const { app, logged } = at.apiWith(TOKEN, broken);
    const request = { ...listTools, method: "tools/call", params: { name: "list_tasks", arguments: {} } };
    const text = await (await app.request("/mcp", message(request))).text();
    expect(text).toContain("its log says what");
    expect(text).not.toContain("secret detail");
    expect(logged.join()).toContain("list_tasks");
  });
});

describe("/mcp without an API token", () => {
  test("reads for programs of this machine, and changes nothing", async () => {
    const client = await at.connect((await at.serve(null)).url, null);
    const repository = at.world.repository();
    expect((await call(client, "list_tasks")).isError).toBeUndefined();
    for (const [name, input] of [
      ["create_task", { repository, issue: 5 }],
      ["approve", { id: `${repository}#5`, by: "ada", sha: HEAD }],
      ["store_memory", { repository, text: "Anything goes.", by: "ada" }],
    ] as const) {
      const refused = await call(client, name, input);
      expect([refused.isError, refused.text]).toEqual([true, expect.stringContaining("MERGEWRIGHT_API_TOKEN")]);
    }
    expect(await at.world.runs.getRun(issueWorkflowId(repository, 5))).toBeNull();
  });
});
