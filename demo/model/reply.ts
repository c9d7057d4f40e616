/** From a scenario's turn to a message of the Messages API, whole or as its stream of events. */
import { createHash } from "node:crypto";
import { type PlayedUsage, tokensOf } from "./usage.ts";
import type { PlayedTurn } from "./scenario.ts";

export type ReplyBlock =
  | { type: "text"; text: string }
  | { type: "tool_use"; id: string; name: string; input: Record<string, unknown>; cutAt?: number };

export interface Reply {
  id: string;
  model: string;
  content: ReplyBlock[];
  stopReason: string;
  usage: PlayedUsage & { output_tokens: number };
}

/** `digest` of the request makes the ids, so that a repeated request is answered with the same message. */
export function makeReply(turn: PlayedTurn, model: string, usage: PlayedUsage, digest: string): Reply {
  const content: ReplyBlock[] = [];
  if (turn.text !== undefined && turn.text !== "") content.push({ type: "text", text: turn.text });
  if (turn.data !== undefined)
    content.push({ type: "text", text: typeof turn.data === "string" ? turn.data : JSON.stringify(turn.data) });
  for (const [index, use] of (turn.uses ?? []).entries()) {
    content.push({
      type: "tool_use",
      id: `toolu_${shortHash(`${digest} ${index}`)}`,
      name: use.name,
      input: { ...use.input },
    });
  }
  const said = content.map((block) => (block.type === "text" ? block.text : JSON.stringify(block.input))).join("");
  return {
    id: `msg_${shortHash(digest)}`,
    model,
    content,
    stopReason: (turn.uses ?? []).length > 0 ? "tool_use" : "end_turn",
    usage: { ...usage, output_tokens: tokensOf(said) + 4 },
  };
}

export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 24);
}

export function wholeMessage(reply: Reply): object {
  const content = reply.content.map((block) =>
    block.type === "text"
      ? { type: "text", text: block.text, citations: null }
      : { type: "tool_use", id: block.id, name: block.name, input: block.input },
  );
  return {
    id: reply.id,
    type: "message",
    role: "assistant",
    model: reply.model,
    content,
    stop_reason: reply.stopReason,
    stop_sequence: null,
    usage: fullUsage(reply.usage),
  };
}

/** The events of the stream, in Anthropic's order, each as it goes over the wire. */
export function* streamEvents(reply: Reply): Generator<string> {
  const { output_tokens: outputTokens, ...input } = reply.usage;
  yield sse("message_start", {
    type: "message_start",
    message: {
      id: reply.id,
      type: "message",
      role: "assistant",
      model: reply.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: fullUsage({ ...input, output_tokens: 1 }),
    },
  });
  yield sse("ping", { type: "ping" });
  for (const [index, block] of reply.content.entries()) {
    if (block.type === "text") {
      yield sse("content_block_start", {
        type: "content_block_start",
        index,
        content_block: { type: "text", text: "" },
      });
      for (const text of pieces(block.text))
        yield sse("content_block_delta", { type: "content_block_delta", index, delta: { type: "text_delta", text } });
    } else {
      yield sse("content_block_start", {
        type: "content_block_start",
        index,
        content_block: { type: "tool_use", id: block.id, name: block.name, input: {} },
      });
      yield sse("content_block_delta", {
        type: "content_block_delta",
        index,
        delta: { type: "input_json_delta", partial_json: "" },
      });
      const json = JSON.stringify(block.input).slice(0, block.cutAt);
      for (const part of pieces(json))
        yield sse("content_block_delta", {
          type: "content_block_delta",
          index,
          delta: { type: "input_json_delta", partial_json: part },
        });
    }
    yield sse("content_block_stop", { type: "content_block_stop", index });
  }
  yield sse("message_delta", {
    type: "message_delta",
    delta: { stop_reason: reply.stopReason, stop_sequence: null },
    usage: { output_tokens: outputTokens },
  });
  yield sse("message_stop", { type: "message_stop" });
}

export function sse(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function fullUsage(usage: Reply["usage"]): object {
  return {
    ...usage,
    cache_creation: { ephemeral_5m_input_tokens: usage.cache_creation_input_tokens, ephemeral_1h_input_tokens: 0 },
    service_tier: "standard",
  };
}

/** Small pieces, as they come; not more than about forty of them, for long files. Never half a character. */
function* pieces(text: string): Generator<string> {
  const size = Math.max(24, Math.ceil(text.length / 40));
  for (let at = 0; at < text.length;) {
    let end = Math.min(text.length, at + size);
    const last = text.charCodeAt(end - 1);
    if (last >= 0xd800 && last <= 0xdbff && end < text.length) end++;
    yield text.slice(at, end);
    at = end;
  }
}
