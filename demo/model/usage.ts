/** Counts tokens as Anthropic bills them: what was read from the prompt cache, what was written to it, what was neither. */
import { createHash, type Hash } from "node:crypto";
import type Anthropic from "@anthropic-ai/sdk";

export interface PlayedUsage {
  input_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
}

/** Entries live this long after their last use. */
const LIFETIME_MS = 5 * 60 * 1000;
/** How many blocks before a breakpoint are looked at for an earlier entry. */
const LOOK_BACK = 20;

/** Prefixes shorter than this many tokens are not cached: 4,096 for Haiku and Opus, 1,024 for the others. */
export function minimumTokens(model: string): number {
  return /haiku|opus/.test(model) ? 4096 : 1024;
}

/** Four characters to a token, near enough for English and code. */
export function tokensOf(text: string): number {
  return Math.ceil(text.length / 4);
}

export class PromptCache {
  /** Hash of a prefix -> when it expires, in ms since the epoch. */
  private readonly entries = new Map<string, number>();

  /** Bills one request, and remembers the prefixes that it marks. */
  bill(body: Anthropic.MessageCreateParams, now: number): PlayedUsage {
    const blocks = prefixes(body);
    const total = blocks.at(-1)?.tokens ?? 0;
    const marks = blocks.flatMap((block, index) => (block.marked ? [index] : []));
    let read = 0;
    let written = 0;
    for (const mark of marks) {
      for (let at = mark; at >= 0 && at > mark - LOOK_BACK; at--) {
        const { hash, tokens } = blocks[at]!;
        if ((this.entries.get(hash) ?? 0) <= now) continue;
        this.entries.set(hash, now + LIFETIME_MS);
        read = Math.max(read, tokens);
        break;
      }
    }
    for (const mark of marks) {
      const { hash, tokens } = blocks[mark]!;
      if (tokens < minimumTokens(body.model)) continue;
      this.entries.set(hash, now + LIFETIME_MS);
      written = Math.max(written, tokens);
    }
    const created = Math.max(0, written - read);
    return {
      input_tokens: total - read - created,
      cache_creation_input_tokens: created,
      cache_read_input_tokens: read,
    };
  }
}

interface Prefix {
  hash: string;
  /** Of the whole prefix. */
  tokens: number;
  marked: boolean;
}

/** Tools, system and messages in the order in which they are cached, each block with the hash of everything up to it. */
function prefixes(body: Anthropic.MessageCreateParams): Prefix[] {
  const found: Prefix[] = [];
  const hash: Hash = createHash("sha1").update(`${body.model}\n${JSON.stringify(body.output_config?.format ?? null)}`);
  let tokens = 0;
  const add = (place: string, block: object): void => {
    const { cache_control: mark, ...rest } = block as { cache_control?: unknown };
    const text = JSON.stringify(rest);
    hash.update(place).update(text);
    tokens += tokensOf(text);
    found.push({ hash: hash.copy().digest("base64"), tokens, marked: mark !== undefined && mark !== null });
  };
  for (const tool of body.tools ?? []) add("tool", tool);
  for (const block of typeof body.system === "string" ? [{ type: "text", text: body.system }] : (body.system ?? []))
    add("system", block);
  for (const message of body.messages) {
    const blocks = typeof message.content === "string" ? [{ type: "text", text: message.content }] : message.content;
    for (const block of blocks) add(message.role, block);
  }
  if (body.cache_control && found.length > 0) found.at(-1)!.marked = true;
  return found;
}
