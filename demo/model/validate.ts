/** Refuses what the real Messages API refuses, in its words, so that what passes here would pass there. */
import type { IncomingHttpHeaders } from "node:http";
import type Anthropic from "@anthropic-ai/sdk";
import { checkSchema } from "./schema.ts";
import { Refusal, invalid } from "./refusal.ts";

export interface ValidationOptions {
  /** Absent: any key will do. */
  apiKey?: string;
  models: readonly string[];
}

/** Current models take up to this many tokens of output. */
const MAX_OUTPUT_TOKENS = 128_000;

export function checkHeaders(headers: IncomingHttpHeaders, options: ValidationOptions): void {
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1];
  const key = typeof headers["x-api-key"] === "string" ? headers["x-api-key"] : bearer;
  if (!key) throw new Refusal(401, "authentication_error", "x-api-key header is required");
  if (options.apiKey !== undefined && key !== options.apiKey)
    throw new Refusal(401, "authentication_error", "invalid x-api-key");
  if (!headers["anthropic-version"]) throw invalid("anthropic-version: header is required");
  if (!/^\d{4}-\d\d-\d\d$/.test(String(headers["anthropic-version"])))
    throw invalid(`anthropic-version: "${String(headers["anthropic-version"])}" is not a valid version`);
}

export function parseBody(raw: string): Record<string, unknown> {
  let body: unknown;
  try {
    body = JSON.parse(raw);
  } catch {
    throw invalid("The request body is not valid JSON");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalid("The request body must be a JSON object");
  // JSON.stringify writes half a character as an escape, and JSON.parse takes it; Anthropic's parser does not.
  if (/\\u[dD][89a-fA-F]/.test(raw) && /\p{Surrogate}/u.test(allText(body)))
    throw invalid("The request body is not valid JSON: no low surrogate in string");
  return body as Record<string, unknown>;
}

const FIELDS = new Set([
  "model",
  "max_tokens",
  "messages",
  "system",
  "tools",
  "tool_choice",
  "stream",
  "stop_sequences",
  "temperature",
  "top_k",
  "top_p",
  "metadata",
  "output_config",
  "thinking",
  "service_tier",
  "cache_control",
  "container",
  "inference_geo",
  "diagnostics",
  "speed",
]);

export function checkRequest(
  body: Record<string, unknown>,
  options: ValidationOptions,
): asserts body is Record<string, unknown> & Anthropic.MessageCreateParams {
  for (const field of ["model", "max_tokens", "messages"])
    if (body[field] === undefined) throw invalid(`${field}: Field required`);
  for (const field of Object.keys(body))
    if (!FIELDS.has(field)) throw invalid(`${field}: Extra inputs are not permitted`);
  const { model, max_tokens: maxTokens, messages, system, tools } = body;
  if (typeof model !== "string" || model === "") throw invalid("model: Input should be a valid string");
  if (!options.models.includes(model)) throw new Refusal(404, "not_found_error", `model: ${model}`);
  if (!Number.isInteger(maxTokens)) throw invalid("max_tokens: Input should be a valid integer");
  if ((maxTokens as number) < 1) throw invalid("max_tokens: Input should be greater than or equal to 1");
  if ((maxTokens as number) > MAX_OUTPUT_TOKENS)
    throw invalid(
      `max_tokens: ${String(maxTokens)} > ${MAX_OUTPUT_TOKENS}, which is the maximum allowed number of output tokens for ${model}`,
    );
  const marks = { count: 0 };
  const toolNames = checkTools(tools, marks);
  checkSystem(system, marks);
  checkMessages(messages, toolNames, marks);
  if (body["cache_control"]) marks.count++;
  if (marks.count > 4) throw invalid(`A maximum of 4 blocks with cache_control may be provided. Found ${marks.count}.`);
  checkOutputConfig(body["output_config"]);
}

interface Marks {
  count: number;
}

const CLIENT_TOOLS: Readonly<Record<string, string>> = {
  bash_20250124: "bash",
  text_editor_20250124: "str_replace_editor",
  text_editor_20250429: "str_replace_based_edit_tool",
  text_editor_20250728: "str_replace_based_edit_tool",
  memory_20250818: "memory",
};

/** The names of the tools, or null when the request defines none. */
function checkTools(tools: unknown, marks: Marks): Set<string> | null {
  if (tools === undefined || tools === null) return null;
  if (!Array.isArray(tools)) throw invalid("tools: Input should be a valid list");
  const names = new Set<string>();
  for (const [index, tool] of (tools as unknown[]).entries()) {
    const at = `tools.${index}`;
    if (!isRecord(tool)) throw invalid(`${at}: Input should be a valid dictionary or object`);
    const name = tool["name"];
    if (typeof name !== "string") throw invalid(`${at}.name: Field required`);
    const type = typeof tool["type"] === "string" ? tool["type"] : "custom";
    if (type === "custom") {
      if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name))
        throw invalid(`${at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
      if (!isRecord(tool["input_schema"])) throw invalid(`${at}.custom.input_schema: Field required`);
      if (tool["input_schema"]["type"] !== "object")
        throw invalid(`${at}.custom.input_schema.type: Input should be 'object'`);
    } else {
      const expected = CLIENT_TOOLS[type];
      if (expected === undefined)
        throw invalid(`${at}: Input tag '${type}' found using 'type' does not match any of the expected tags`);
      if (name !== expected) throw invalid(`${at}.${type}.name: Input should be '${expected}'`);
    }
    if (names.has(name)) throw invalid("tools: Tool names must be unique.");
    names.add(name);
    countMark(tool, at, marks);
  }
  return names;
}

function checkSystem(system: unknown, marks: Marks): void {
  if (system === undefined || typeof system === "string") return;
  if (!Array.isArray(system)) throw invalid("system: Input should be a valid string or list");
  for (const [index, block] of (system as unknown[]).entries()) {
    const at = `system.${index}`;
    if (!isRecord(block) || block["type"] !== "text" || typeof block["text"] !== "string")
      throw invalid(`${at}: Input should be a valid text block`);
    if (block["text"] === "") throw invalid(`system: text content blocks must be non-empty`);
    countMark(block, at, marks);
  }
}

type Block = Record<string, unknown>;

function checkMessages(value: unknown, toolNames: Set<string> | null, marks: Marks): void {
  if (!Array.isArray(value)) throw invalid("messages: Input should be a valid list");
  if (value.length === 0) throw invalid("messages: at least one message is required");
  const messages = (value as unknown[]).map((message, index) => checkMessage(message, `messages.${index}`, marks));
  if (messages[0]!.role !== "user") throw invalid('messages: first message must use the "user" role');
  if (messages.at(-1)!.role !== "user")
    throw invalid(
      "This model does not support assistant message prefill. The conversation must end with a user message.",
    );
  checkToolPairs(joinTurns(messages), toolNames);
}

interface Turn {
  index: number;
  role: string;
  blocks: Block[];
}

function checkMessage(message: unknown, at: string, marks: Marks): Turn {
  if (!isRecord(message)) throw invalid(`${at}: Input should be a valid dictionary or object`);
  const { role, content } = message;
  for (const key of Object.keys(message))
    if (key !== "role" && key !== "content") throw invalid(`${at}.${key}: Extra inputs are not permitted`);
  if (role !== "user" && role !== "assistant") throw invalid(`${at}.role: Input should be 'user' or 'assistant'`);
  if (content === undefined) throw invalid(`${at}.content: Field required`);
  const index = Number(at.split(".")[1]);
  if (typeof content === "string") {
    if (content === "") throw invalid(`${at}: all messages must have non-empty content`);
    return { index, role, blocks: [{ type: "text", text: content }] };
  }
  if (!Array.isArray(content)) throw invalid(`${at}.content: Input should be a valid list`);
  if (content.length === 0) throw invalid(`${at}: all messages must have non-empty content`);
  const blocks = (content as unknown[]).map((block, place) => checkBlock(block, `${at}.content.${place}`, role, marks));
  return { index, role, blocks };
}

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  user: ["text", "image", "document", "search_result", "tool_result"],
  assistant: ["text", "thinking", "redacted_thinking", "tool_use", "server_tool_use"],
};

function checkBlock(block: unknown, at: string, role: string, marks: Marks): Block {
  if (!isRecord(block)) throw invalid(`${at}: Input should be a valid dictionary or object`);
  const type = String(block["type"]);
  if (!ALLOWED[role]!.includes(type)) {
    throw invalid(
      type === "tool_use" || type === "tool_result"
        ? `${at}: \`${type}\` blocks can only be in \`${type === "tool_use" ? "assistant" : "user"}\` messages`
        : `${at}: Input tag '${type}' found using 'type' does not match any of the expected tags`,
    );
  }
  if (type === "text") checkText(block, at);
  if (type === "tool_use") {
    if (typeof block["id"] !== "string" || !/^[a-zA-Z0-9_-]+$/.test(block["id"]))
      throw invalid(`${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
    if (typeof block["name"] !== "string") throw invalid(`${at}.tool_use.name: Field required`);
    if (!isRecord(block["input"])) throw invalid(`${at}.tool_use.input: Input should be a valid dictionary`);
  }
  if (type === "tool_result") {
    if (typeof block["tool_use_id"] !== "string") throw invalid(`${at}.tool_result.tool_use_id: Field required`);
    if (Array.isArray(block["content"]))
      for (const [place, part] of (block["content"] as unknown[]).entries())
        if (isRecord(part) && part["type"] === "text") checkText(part, `${at}.tool_result.content.${place}`);
  }
  countMark(block, at, marks);
  if (block["cache_control"] && (type === "thinking" || type === "redacted_thinking"))
    throw invalid(`${at}.${type}.cache_control: Extra inputs are not permitted`);
  return block;
}

function checkText(block: Block, at: string): void {
  if (typeof block["text"] !== "string") throw invalid(`${at}.text.text: Field required`);
  if (block["text"] === "") throw invalid("messages: text content blocks must be non-empty");
  if (block["text"].trim() === "") throw invalid("messages: text content blocks must contain non-whitespace text");
}

/** Consecutive messages of one role are one turn. */
function joinTurns(messages: readonly Turn[]): Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    const last = turns.at(-1);
    if (last?.role === message.role) last.blocks = [...last.blocks, ...message.blocks];
    else turns.push({ ...message });
  }
  return turns;
}

function checkToolPairs(turns: readonly Turn[], toolNames: Set<string> | null): void {
  const seen = new Set<string>();
  for (const [place, turn] of turns.entries()) {
    const calls = turn.role === "assistant" ? turn.blocks.filter((block) => block["type"] === "tool_use") : [];
    for (const call of calls) {
      if (toolNames === null)
        throw invalid("Requests which have `tool_use` or `tool_result` blocks in messages must define tools.");
      if (!toolNames.has(String(call["name"])) && !answeredWithError(turns[place + 1], call["id"])) {
        // Claude may name a tool that does not exist; that somebody ran it is what cannot be.
        throw invalid(`messages.${turn.index}: tool_use names a tool that is not defined: ${String(call["name"])}`);
      }
      if (seen.has(String(call["id"]))) throw invalid(`messages.${turn.index}: \`tool_use\` ids must be unique`);
      seen.add(String(call["id"]));
    }
    const next = turns[place + 1];
    const results = (next?.blocks ?? [])
      .filter((block) => block["type"] === "tool_result")
      .map((block) => String(block["tool_use_id"]));
    const leading = (next?.blocks ?? []).findIndex((block) => block["type"] !== "tool_result");
    const missing = calls.map((call) => String(call["id"])).filter((id) => !results.includes(id));
    const late = calls.length > 0 && leading !== -1 && leading < results.length;
    if (missing.length > 0 || late) {
      throw invalid(
        `messages.${turn.index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${(missing.length > 0 ? missing : results).join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      );
    }
    const called = new Set(calls.map((call) => String(call["id"])));
    if (turn.role === "assistant" || place === 0)
      checkResults(
        place === 0 && turn.role === "user" ? turn : next,
        place === 0 && turn.role === "user" ? new Set() : called,
      );
  }
}

function answeredWithError(turn: Turn | undefined, id: unknown): boolean {
  return (turn?.blocks ?? []).some((block) => block["tool_use_id"] === id && block["is_error"] === true);
}

function checkResults(turn: Turn | undefined, called: ReadonlySet<string>): void {
  const answered = new Set<string>();
  for (const block of turn?.blocks ?? []) {
    if (block["type"] !== "tool_result") continue;
    const id = String(block["tool_use_id"]);
    if (!called.has(id))
      throw invalid(
        `messages.${turn!.index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      );
    if (answered.has(id))
      throw invalid(
        `messages.${turn!.index}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`,
      );
    answered.add(id);
  }
}

function checkOutputConfig(config: unknown): void {
  if (config === undefined || config === null) return;
  if (!isRecord(config)) throw invalid("output_config: Input should be a valid dictionary or object");
  for (const key of Object.keys(config))
    if (key !== "format" && key !== "effort") throw invalid(`output_config.${key}: Extra inputs are not permitted`);
  const format = config["format"];
  if (format === undefined || format === null) return;
  if (!isRecord(format) || format["type"] !== "json_schema")
    throw invalid("output_config.format.type: Input should be 'json_schema'");
  if (!isRecord(format["schema"])) throw invalid("output_config.format.schema: Field required");
  checkSchema(format["schema"]);
}

function countMark(block: Block, at: string, marks: Marks): void {
  const mark = block["cache_control"];
  if (mark === undefined || mark === null) return;
  if (!isRecord(mark) || mark["type"] !== "ephemeral")
    throw invalid(`${at}.cache_control.type: Input should be 'ephemeral'`);
  if (mark["ttl"] !== undefined && mark["ttl"] !== "5m" && mark["ttl"] !== "1h")
    throw invalid(`${at}.cache_control.ttl: Input should be '5m' or '1h'`);
  marks.count++;
}

function allText(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null ? Object.values(value).map(allText).join("") : "";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
