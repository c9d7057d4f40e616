/** From stored segments to the messages of a request, with cache breakpoints where they pay. */
import type Anthropic from "@anthropic-ai/sdk";

/** One stored part of a conversation. Segments are only ever appended, and never changed: the cache lives by that. */
export interface Segment {
  role: "user" | "assistant";
  content: Anthropic.ContentBlockParam[];
}

/**
 * The messages of the next request. Breakpoints: the end of the opening message, and the last and the last-but-one user message:
 * the last writes what this turn added, the last-but-one reads what the turn before wrote. With the one that the system prompt
 * carries that is four, all that Claude takes. Copies only what it marks, so that turn 300 costs no more than turn 3.
 */
export function composeMessages(segments: readonly Segment[]): Anthropic.MessageParam[] {
  const messages: Segment[] = [];
  for (const segment of segments) {
    const content = withoutEmptyText(segment);
    const last = messages.at(-1);
    if (last?.role === segment.role)
      messages[messages.length - 1] = { role: last.role, content: [...last.content, ...content] };
    else messages.push(content === segment.content ? segment : { role: segment.role, content });
  }
  // After a pause Claude goes on from its own words; current models refuse a request that ends with them.
  if (messages.at(-1)?.role === "assistant")
    messages.push({ role: "user", content: [{ type: "text", text: "Go on." }] });
  const users = messages.flatMap((message, index) => (message.role === "user" ? [index] : []));
  for (const index of new Set([users[0], users.at(-2), users.at(-1)])) {
    if (index !== undefined) messages[index] = marked(messages[index]!);
  }
  return messages;
}

/** The system prompt as a block with a breakpoint: it covers the tools too, which come before it. */
export function composeSystem(text: string): Anthropic.TextBlockParam[] {
  return [{ type: "text", text, cache_control: EPHEMERAL }];
}

/** The calls of the last reply that have no result yet. */
export function openCalls(segments: readonly Segment[]): Anthropic.ToolUseBlockParam[] {
  const replyAt = segments.findLastIndex((segment) => segment.role === "assistant");
  if (replyAt === -1) return [];
  const answered = new Set(
    segments
      .slice(replyAt + 1)
      .flatMap((segment) =>
        segment.content.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : [])),
      ),
  );
  return segments[replyAt]!.content.filter((block) => block.type === "tool_use").filter(
    (call) => !answered.has(call.id),
  );
}

/**
 * The segment that closes calls which never got a result, or null when none is open. Only for a conversation whose results are
 * lost for good: what can still be asked of the sandbox's journal is to be asked there.
 */
export function closeOpenCalls(segments: readonly Segment[]): Segment | null {
  const calls = openCalls(segments);
  if (calls.length === 0) return null;
  return { role: "user", content: calls.map((call) => toolResult(call.id, OUTCOME_UNKNOWN, true)) };
}

export function toolResult(id: string, text: string, isError: boolean): Anthropic.ToolResultBlockParam {
  return {
    type: "tool_result",
    tool_use_id: id,
    content: text === "" ? "[no output]" : text,
    ...(isError ? { is_error: true } : {}),
  };
}

const OUTCOME_UNKNOWN =
  "[outcome unknown: the work was interrupted here. Check whether this took effect before you do it again.]";
const EPHEMERAL: Anthropic.CacheControlEphemeral = { type: "ephemeral" };

/** Claude refuses empty text, and sometimes sends it. A reply without anything becomes a word, so that the turns alternate. */
function withoutEmptyText(segment: Segment): Segment["content"] {
  if (segment.content.length > 0 && !segment.content.some(isEmptyText)) return segment.content;
  const content = segment.content.filter((block) => !isEmptyText(block));
  return content.length > 0
    ? content
    : [{ type: "text", text: segment.role === "assistant" ? "(no answer)" : "(nothing)" }];
}

function isEmptyText(block: Anthropic.ContentBlockParam): boolean {
  return block.type === "text" && block.text.trim() === "";
}

function marked(message: Segment): Segment {
  const last = message.content.at(-1);
  if (last === undefined || last.type === "thinking" || last.type === "redacted_thinking") return message;
  return {
    role: message.role,
    content: [...message.content.slice(0, -1), { ...last, cache_control: EPHEMERAL } as Anthropic.ContentBlockParam],
  };
}
