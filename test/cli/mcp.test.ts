import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueWorkflowId } from "../../domain/ids.ts";
import { createWorld, type World } from "../api/support.ts";
import { makeRepository, type TestRepository } from "../memory/repository.ts";
import { temporalAddress } from "../support/temporal.ts";

const BINARY = fileURLToPath(new URL("../../bin/mergewright.mjs", import.meta.url));
const HEAD = "a".repeat(40);
import { type AccountServer, startAccountServer } from "./account-server.ts";

let world: World;
let home: string;
let source: TestRepository;
let github: AccountServer;
let env: Record<string, string>;
beforeAll(async () => {
  world = await createWorld();
  home = mkdtempSync(join(tmpdir(), "mergewright-cli-mcp-"));
  source = makeRepository();
  source.commit("Start", { "src/parser.py": "def parse_header(line):\n    return line.split(':')\n" });
  github = await startAccountServer();
  env = {
    PATH: process.env["PATH"] ?? "",
    MERGEWRIGHT_HOME: home,
    TEMPORAL_ADDRESS: temporalAddress(),
    GITHUB_TOKEN: "a-token",
    GITHUB_API_URL: github.url,
  };
});
afterAll(async () => {
  github.close();
  source.remove();
  rmSync(home, { recursive: true, force: true });
  await world.stop();
});

interface Session {
  client: Client;
  call(name: string, input?: object): Promise<CallToolResult & { text: string }>;
  /** What came on standard error. */
  log(): string;
}

async function inSession(more: Record<string, string>, use: (session: Session) => Promise<void>): Promise<void> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [BINARY, "mcp"],
    cwd: source.folder,
    env: { ...env, ...more },
    stderr: "pipe",
  });
  let log = "";
  transport.stderr?.on("data", (bytes: Buffer) => (log += bytes.toString("utf8")));
  const client = new Client({ name: "a test", version: "1" });
  const complaints: Error[] = [];
  client.onerror = (error) => complaints.push(error);
  try {
    await client.connect(transport);
    const call = async (name: string, input: object = {}) => {
      const result = (await client.callTool({ name, arguments: { ...input } })) as CallToolResult;
      return { ...result, text: result.content.map((part) => (part.type === "text" ? part.text : "")).join("\n") };
    };
    await use({ client, call, log: () => log });
  } finally {
    await client.close();
  }
  // Anything on standard output that is none of the protocol would have been one.
  expect(complaints).toEqual([]);
}

describe("mergewright mcp", () => {
  it("finds code in the repository where it was started, always as its newest commit has it", async () => {
    await inSession({}, async ({ client, call }) => {
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["search_code", "list_tasks", "create_task", "task_status", "approve"]),
      );
      const found = await call("search_code", { query: "parse_header breaks" });
      expect(found.structuredContent).toMatchObject({ results: [{ path: "src/parser.py", lines: [1, 2] }] });
      source.commit("Writer", { "src/writer.py": "def write_body(text):\n    return text\n" });
      const newer = await call("search_code", { query: "write_body", repository: "./src" });
      expect(newer.structuredContent).toMatchObject({ results: [{ path: "src/writer.py" }] });
      const nowhere = await call("search_code", { query: "write_body", repository: join(home, "nowhere") });
      expect([nowhere.isError, nowhere.text]).toEqual([true, expect.stringContaining("There is no folder")]);
      const unknown = await call("search_code", { query: "write_body", repository: "acme/unknown" });
      expect([unknown.isError, unknown.text]).toEqual([true, expect.stringContaining("not indexed yet")]);
    });
  });

  it("starts a run, tells it, and approves in the name of the token's account, bound to a commit", async () => {
    const repository = world.repository();
    const id = issueWorkflowId(repository, 5);
    await world.runs.startRun({ repository, issue: 5, by: null, kind: "command-line" });
    await inSession({}, async ({ client, call }) => {
      const again = await call("create_task", { repository, issue: 5 });
      expect(again.structuredContent).toEqual({ id, started: false });
      const status = await call("task_status", { id });
      expect(status.structuredContent).toMatchObject({ phase: "awaiting-approval", pullRequest: { headSha: HEAD } });
      const { contents } = await client.readResource({ uri: `mergewright://runs/${id}` });
      expect(JSON.parse((contents[0] as { text: string }).text)).toMatchObject({ id });

      expect((await call("approve", { id })).text).toContain("name the head commit that was read");
      const stale = await call("approve", { id, sha: "c".repeat(40) });
      expect([stale.isError, stale.text]).toEqual([true, `${id} refused: The head has moved.`]);
      const approved = await call("approve", { id, sha: HEAD });
      expect(approved.structuredContent).toEqual({ id, approved: "merge", sha: HEAD, by: "ada" });
    });
  });

  it("answers many questions at once over one connection, also the first ones", async () => {
    const repository = world.repository();
    const id = issueWorkflowId(repository, 6);
    await world.runs.startRun({ repository, issue: 6, by: null, kind: "command-line" });
    await inSession({}, async ({ call }) => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => call("task_status", { id })));
      expect(answers.filter(({ isError }) => isError).map(({ text }) => text)).toEqual([]);
    });
  });

  it("serves the repository while no Temporal server is up, and says what the runs lack", async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "mergewright-cli-mcp-"));
    await inSession({ TEMPORAL_ADDRESS: "", MERGEWRIGHT_HOME: elsewhere }, async ({ call, client }) => {
      const listed = await call("list_tasks");
      expect([listed.isError, listed.text]).toEqual([true, expect.stringContaining("mergewright start")]);
      expect((await call("search_code", { query: "parse_header" })).isError).toBeUndefined();
      await call("store_memory", { repository: "acme/shop", text: "Money is cents." });
      const { resources } = await client.listResources();
      expect(resources).toMatchObject([
        { name: "The runs cannot be listed now", description: expect.stringContaining("mergewright start") as string },
        { uri: "mergewright://memories/acme/shop" },
      ]);
      await expect(client.readResource({ uri: resources[0]!.uri })).rejects.toThrow("mergewright start");
      const { contents } = await client.readResource({ uri: "mergewright://memories" });
      expect(JSON.parse((contents[0] as { text: string }).text)).toEqual(["acme/shop"]);
    });
    rmSync(elsewhere, { recursive: true, force: true });
  });

  it("keeps keys out of its answers and its log, and logs to standard error alone", async () => {
    await inSession({ GITHUB_TOKEN: "another-token-0123456789", LOG_LEVEL: "debug" }, async ({ call, log }) => {
      const id = issueWorkflowId(world.repository(), 5);
      const refused = await call("approve", { id, sha: HEAD });
      expect(refused.isError).toBe(true);
      expect(refused.text + log()).not.toContain("another-token-0123456789");
      expect(log()).toContain("the tools are served");
    });
  });
});

describe("the ends of mergewright mcp", () => {
  async function run(
    input: string,
    more: Record<string, string> = {},
  ): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(process.execPath, [BINARY, "mcp"], { cwd: home, env: { ...env, ...more } });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const [code] = (await once(child, "close")) as [number | null];
    return { code, out, err };
  }
  const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}\n`;

  it("answers what it was asked before its input ended, and ends in order", async () => {
    const search = { name: "search_code", arguments: { query: "parse_header", repository: source.folder } };
    const slow = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/call", params: search });
    const { code, out } = await run(`${ping}${slow}\n`);
    const answers = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: number });
    expect([code, answers.map(({ id }) => id)]).toEqual([0, [1, 2]]);
    expect(answers[1]).toMatchObject({ result: { structuredContent: { results: [{ path: "src/parser.py" }] } } });
  });

  it("says nothing to what is no message, and goes on", async () => {
    const { code, out, err } = await run(`hello\n{"jsonrpc":"2.0"}\n\n${ping}`);
    expect([code, JSON.parse(out)]).toEqual([0, { jsonrpc: "2.0", id: 1, result: {} }]);
    expect(err).toContain("none of the protocol");
  });

  it("gives up on a message without an end", async () => {
    const { code, out, err } = await run("x".repeat(5_000_000));
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("4000000 bytes");
  });

  it("tells a wrong configuration before it speaks, on standard error", async () => {
    const file = join(home, "wrong.yaml");
    writeFileSync(file, "require_reviews: true\n");
    const { code, out, err } = await run(ping, { MERGEWRIGHT_CONFIG: file });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("require_review");
  });
});
