/**
 * Folds the events of a stream into one reply. Ours rather than the SDK's accumulator for two reasons: a stream that ends without
 * `message_stop` must count as broken, and a tool call cut off in the middle must stay answerable instead of throwing.
 */
import type Anthropic from "@anthropic-ai/sdk";
import type { TokenUsage } from "../../../domain/money.ts";

export interface FoldedReply {
  content: Anthropic.ContentBlock[];
  stopReason: Anthropic.StopReason;
  usage: TokenUsage;
  model: string;
}

/** Key under which the text of a tool input that is no JSON object is kept, so that the call can still be answered. */
const INVALID_INPUT = "INVALID_JSON";

export class ReplyFold {
  private message: Anthropic.Message | null = null;
  private stopped = false;
  /** Tool inputs arrive as pieces of JSON text, by block index. */
  private readonly inputs = new Map<number, string[]>();

  add(event: Anthropic.RawMessageStreamEvent): void {
    if (event.type === "message_start") {
      this.message = { ...event.message, content: [], usage: { ...event.message.usage } };
      return;
    }
    const message = this.message;
    if (message === null) return;
    switch (event.type) {
      case "content_block_start":
        message.content[event.index] = { ...event.content_block };
        return;
      case "content_block_delta":
        this.addDelta(message.content[event.index], event.index, event.delta);
        return;
      case "content_block_stop":
        return;
      case "message_delta":
        message.stop_reason = event.delta.stop_reason;
        Object.assign(message.usage, withoutNulls(event.usage));
        return;
      case "message_stop":
        this.stopped = true;
        return;
    }
  }

  /** The whole reply, or null when the stream ended before the message did. */
  finish(): FoldedReply | null {
    const message = this.message;
    if (message === null || !this.stopped || message.stop_reason === null) return null;
    for (const [index, pieces] of this.inputs) {
      const block = message.content[index];
      if (block !== undefined && "input" in block) block.input = parseInput(pieces.join(""));
    }
    const usage = message.usage;
    return {
      content: message.content.filter((block) => block !== undefined),
      stopReason: message.stop_reason,
      usage: {
        inputTokens: usage.input_tokens ?? 0,
        outputTokens: usage.output_tokens ?? 0,
        cacheReadTokens: usage.cache_read_input_tokens ?? 0,
        cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
      },
      model: message.model,
    };
  }

  private addDelta(
    block: Anthropic.ContentBlock | undefined,
    index: number,
    delta: Anthropic.RawContentBlockDelta,
  ): void {
    if (delta.type === "input_json_delta") {
      const pieces = this.inputs.get(index) ?? [];
      pieces.push(delta.partial_json);
      this.inputs.set(index, pieces);
    } else if (block?.type === "text" && delta.type === "text_delta") {
      block.text += delta.text;
    } else if (block?.type === "text" && delta.type === "citations_delta") {
      block.citations = [...(block.citations ?? []), delta.citation];
    } else if (block?.type === "thinking" && delta.type === "thinking_delta") {
      block.thinking += delta.thinking;
    } else if (block?.type === "thinking" && delta.type === "signature_delta") {
      block.signature = delta.signature;
    }
  }
}

/** The API takes only objects as tool input, so text that is none is wrapped, as Anthropic advises. */
function parseInput(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    const input: unknown = JSON.parse(text);
    if (typeof input === "object" && input !== null && !Array.isArray(input)) return input;
  } catch {
    // Cut off, or never JSON: told to Claude by the tool's error result.
  }
  return { [INVALID_INPUT]: text };
}

function withoutNulls(usage: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null && value !== undefined));
}
