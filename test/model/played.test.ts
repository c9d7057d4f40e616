/** The played Messages API refuses what the real one refuses, and keeps no place in a script. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { benchScenario } from "../../demo/model/bench.ts";
import { type PlayedModel, startModel } from "../../demo/model/server.ts";
import { request, scenario } from "./support.ts";

let played: PlayedModel;
beforeAll(async () => {
  played = await startModel({
    scenarios: [scenario, benchScenario({ turns: 3, matches: (read) => read.opening.includes("Bench") })],
  });
});
afterAll(() => played.close());

interface Said {
  status: number;
  body: {
    type?: string;
    error?: { type: string; message: string };
    content?: { type: string; text?: string; input?: unknown }[];
    stop_reason?: string;
    usage?: Record<string, number>;
  };
}

async function post(body: unknown, headers: Record<string, string> = {}): Promise<Said> {
  const response = await fetch(`${played.url}/v1/messages`, {
    method: "POST",
    headers: { "x-api-key": "k", "anthropic-version": "2023-06-01", "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Said["body"] };
}

const system = request("coder").system;
const tools = [{ type: "bash_20250124", name: "bash" }];
const user = { role: "user", content: "# Brief: start\n\nSimple" };
const valid = { model: "claude-sonnet-5-5", max_tokens: 100, system, tools, messages: [user] };
const use = { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "bash", input: {} }] };
const answer = { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: "ok" }] };
const mark = { cache_control: { type: "ephemeral" } };
const format = (schema: unknown): object => ({ ...valid, output_config: { format: { type: "json_schema", schema } } });

describe("a request is refused", () => {
  it.each<[string, unknown, string, Record<string, string>?]>([
    ["that is no JSON", "{", "not valid JSON"],
    ["that is a list", [], "JSON object"],
    [
      "with half a character",
      JSON.stringify({ ...valid, messages: [{ role: "user", content: "\ud800" }] }),
      "low surrogate",
    ],
    ["without a version", valid, "anthropic-version: header is required", { "anthropic-version": "" }],
    ["without model", { ...valid, model: undefined }, "model: Field required"],
    ["without max_tokens", { ...valid, max_tokens: undefined }, "max_tokens: Field required"],
    ["without messages", { ...valid, messages: undefined }, "messages: Field required"],
    ["with no message", { ...valid, messages: [] }, "at least one message"],
    ["with an unknown field", { ...valid, maxTokens: 5 }, "maxTokens: Extra inputs"],
    ["with too many tokens", { ...valid, max_tokens: 1_000_000 }, "maximum allowed number of output tokens"],
    ["with no tokens", { ...valid, max_tokens: 0 }, "greater than or equal to 1"],
    [
      "that begins with the assistant",
      { ...valid, messages: [{ role: "assistant", content: "a" }, user] },
      'first message must use the "user" role',
    ],
    ["that ends with the assistant", { ...valid, messages: [user, { role: "assistant", content: "a" }] }, "prefill"],
    [
      "with another role",
      { ...valid, messages: [{ role: "system", content: "a" }] },
      "Input should be 'user' or 'assistant'",
    ],
    [
      "with empty text",
      { ...valid, messages: [{ role: "user", content: [{ type: "text", text: "" }] }] },
      "must be non-empty",
    ],
    [
      "with blank text",
      { ...valid, messages: [{ role: "user", content: [{ type: "text", text: " " }] }] },
      "non-whitespace",
    ],
    [
      "with empty content",
      { ...valid, messages: [user, { role: "assistant", content: [] }, user] },
      "non-empty content",
    ],
    [
      "with a call that has no result",
      { ...valid, messages: [user, use, user] },
      "ids were found without `tool_result` blocks immediately after: t1",
    ],
    [
      "with text before a result",
      { ...valid, messages: [user, use, { role: "user", content: [{ type: "text", text: "a" }, ...answer.content] }] },
      "immediately after",
    ],
    [
      "with a result that has no call",
      { ...valid, messages: [user, { role: "assistant", content: "a" }, answer] },
      "unexpected `tool_use_id`",
    ],
    ["with a result in the first message", { ...valid, messages: [answer] }, "unexpected `tool_use_id`"],
    [
      "with two results for one call",
      { ...valid, messages: [user, use, { role: "user", content: [...answer.content, ...answer.content] }] },
      "single result",
    ],
    ["with a call twice", { ...valid, messages: [user, use, answer, use, answer] }, "must be unique"],
    ["with calls but no tools", { ...valid, tools: undefined, messages: [user, use, answer] }, "must define tools"],
    [
      "with a tool run that was never offered",
      {
        ...valid,
        messages: [
          user,
          { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "web", input: {} }] },
          answer,
        ],
      },
      "not defined: web",
    ],
    ["with a call by the user", { ...valid, messages: [{ role: "user", content: use.content }] }, "can only be in"],
    [
      "with an input that is text",
      { ...valid, messages: [user, { role: "assistant", content: [{ ...use.content[0], input: "ls" }] }, answer] },
      "valid dictionary",
    ],
    [
      "with five breakpoints",
      {
        ...valid,
        messages: [{ role: "user", content: Array.from({ length: 4 }, () => ({ type: "text", text: "a", ...mark })) }],
      },
      "maximum of 4 blocks with cache_control may be provided. Found 5",
    ],
    [
      "with an unknown breakpoint",
      { ...valid, system: [{ type: "text", text: "a", cache_control: { type: "forever" } }] },
      "Input should be 'ephemeral'",
    ],
    [
      "with an unknown tool type",
      { ...valid, tools: [{ type: "bash_19990101", name: "bash" }] },
      "does not match any of the expected tags",
    ],
    [
      "with a tool under a wrong name",
      { ...valid, tools: [{ type: "bash_20250124", name: "shell" }] },
      "Input should be 'bash'",
    ],
    ["with one tool twice", { ...valid, tools: [...tools, ...tools] }, "must be unique"],
    [
      "with an open schema",
      format({ type: "object", properties: {} }),
      "'additionalProperties' must be explicitly set to false",
    ],
    [
      "with a limit in its schema",
      format({
        type: "object",
        additionalProperties: false,
        properties: { a: { type: "array", items: { type: "string" }, maxItems: 6 } },
      }),
      "'maxItems' is not supported",
    ],
    [
      "with a range in its schema",
      format({ type: "object", additionalProperties: false, properties: { a: { type: "integer", minimum: 0 } } }),
      "'minimum' is not supported",
    ],
    ["that no scenario knows", { ...valid, messages: [{ role: "user", content: "who?" }] }, "No scenario matches"],
  ])("%s", async (_, body, said, headers) => {
    const { status, body: error } = await post(body, headers);
    expect([status, error.type, error.error?.type]).toEqual([400, "error", "invalid_request_error"]);
    expect(error.error?.message).toContain(said);
  });

  it("without a key (401), for an unknown model (404), when it is too large (413)", async () => {
    expect(await post(valid, { "x-api-key": "" })).toMatchObject({
      status: 401,
      body: { error: { type: "authentication_error" } },
    });
    expect(await post({ ...valid, model: "gpt-4" })).toMatchObject({
      status: 404,
      body: { error: { type: "not_found_error", message: "model: gpt-4" } },
    });
    expect(await post({ ...valid, messages: [{ role: "user", content: "x".repeat(33 * 1024 * 1024) }] })).toMatchObject(
      { status: 413 },
    );
  });
});

describe("a request is taken", () => {
  it("with neighbours of one role, and with an unknown tool that was answered by an error", async () => {
    expect((await post({ ...valid, messages: [user, user] })).status).toBe(200);
    const unknown = [
      user,
      { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "web", input: {} }] },
      { role: "user", content: [{ ...answer.content[0], is_error: true }] },
    ];
    expect((await post({ ...valid, messages: unknown })).status).toBe(200);
  });

  it("and answered by role, round and turn as the request itself tells them", async () => {
    const first = await post(valid);
    expect(first.body.content?.map((block) => block.type)).toEqual(["text", "tool_use", "tool_use"]);
    expect((await post(valid)).body).toMatchObject({ content: first.body.content });
    const revised = await post({
      ...valid,
      messages: [
        user,
        use,
        answer,
        { role: "assistant", content: "Done." },
        { role: "user", content: "# Brief: revise (review)\n\nx" },
      ],
    });
    expect(revised.body.content?.[0]?.input).toEqual({ command: "git diff" });
    const reviewer = { ...valid, system: request("reviewer").system, tools: undefined };
    const review = async (round: number): Promise<unknown> =>
      JSON.parse(
        (
          await post({
            ...reviewer,
            messages: [{ role: "user", content: `# Brief: review, round ${round}\n\nSimple` }],
          })
        ).body.content?.[0]?.text ?? "",
      );
    expect(await review(1)).toMatchObject({ verdict: "request-changes" });
    expect(await review(2)).toMatchObject({ verdict: "approve" });
    expect(await review(5)).toMatchObject({ verdict: "approve" });
  });

  it("and the bench runs its turns and ends", async () => {
    const messages: unknown[] = [{ role: "user", content: "# Brief: implement\n\nBench" }];
    const stops: unknown[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const { body } = await post({ ...valid, messages });
      stops.push(body.stop_reason);
      messages.push(
        { role: "assistant", content: body.content },
        {
          role: "user",
          content: (body.content ?? []).map((block) => ({
            type: "tool_result",
            tool_use_id: (block as { id?: string }).id,
            content: "",
          })),
        },
      );
    }
    expect(stops).toEqual(["tool_use", "tool_use", "tool_use", "end_turn"]);
  });
});

it("a prefix below the minimum is not cached, and a model's cache is its own", async () => {
  const long = { ...valid, system: [{ type: "text", text: (system[0]?.text ?? "") + "word ".repeat(4000), ...mark }] };
  expect((await post(long)).body.usage).toMatchObject({ cache_read_input_tokens: 0 });
  const again = (await post(long)).body.usage!;
  expect(again["cache_read_input_tokens"]).toBeGreaterThan(5000);
  expect(again["cache_creation_input_tokens"]).toBe(0);
  expect((await post({ ...long, model: "claude-opus-5-5" })).body.usage?.["cache_read_input_tokens"]).toBe(0);
  const short = { ...valid, system: [{ type: "text", text: system[0]?.text.slice(0, 400), ...mark }] };
  await post(short);
  expect((await post(short)).body.usage).toMatchObject({ cache_read_input_tokens: 0, cache_creation_input_tokens: 0 });
});

it("a fault that makes no sense is refused with the reason", async () => {
  const response = await fetch(`${played.url}/_played/faults`, {
    method: "POST",
    body: JSON.stringify({ kind: "explode" }),
  });
  expect(response.status).toBe(400);
});

describe("as a process", () => {
  const children: ChildProcess[] = [];
  afterAll(() => children.forEach((child) => child.kill("SIGKILL")));

  it("it prints its address, plays a module's scenarios, and its ledger outlives it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mergewright-played-"));
    const module = join(folder, "scenarios.mjs");
    const state = join(folder, "ledger.jsonl");
    await writeFile(
      module,
      `export const scenarios = [{ name: "file", matches: () => true, classifier: [], planner: [], coder: [[{ text: "From a file." }]], reviewer: [] }];`,
    );
    const start = async (): Promise<{ url: string; stop: () => Promise<void> }> => {
      const child = spawn(
        process.execPath,
        ["--import", "tsx", "demo/model/main.ts", "--scenarios", module, "--state", state],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      children.push(child);
      const line = await new Promise<string>((resolve) => createInterface(child.stdout).once("line", resolve));
      const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      return { url: (JSON.parse(line) as { url: string }).url, stop: () => (child.kill("SIGKILL"), ended) };
    };
    const first = await start();
    const response = await fetch(`${first.url}/v1/messages`, {
      method: "POST",
      headers: { authorization: "Bearer k", "anthropic-version": "2023-06-01" },
      body: JSON.stringify(valid),
    });
    expect(await response.json()).toMatchObject({ content: [{ text: "From a file." }] });
    await first.stop();
    const second = await start();
    const ledger = (await (await fetch(`${second.url}/_played/ledger`)).json()) as { totals: { delivered: number } };
    expect(ledger.totals.delivered).toBe(1);
    await second.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);
});
