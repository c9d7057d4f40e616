/** Which reply a request asks for, whatever else is new in it: of which run, for which role, and after what was said. */
import type Anthropic from "@anthropic-ai/sdk";
import { shortHash } from "./reply.ts";
import type { PlayedRequest } from "./scenario.ts";

/**
 * Two requests with the same place ask for the same reply, even if their last messages differ (a time in it, another order): whoever
 * has received one and asks again pays twice. Only a fork goes on from a place of another run on purpose.
 */
export function placeOf({ role, messages }: Pick<PlayedRequest, "role" | "messages">): string {
  const goesOn = messages.at(-1)?.role === "assistant";
  const past = goesOn ? messages : messages.slice(0, -1);
  // Nothing was said yet: a run is known by what stands in its fences, whose marks are drawn for each run.
  const from = past.length === 0 ? openingOf(messages) : past;
  return shortHash(JSON.stringify([role, goesOn, from], withoutMarks));
}

function openingOf(messages: readonly Anthropic.MessageParam[]): string[] {
  const text = messages
    .map(({ content }) => (typeof content === "string" ? content : JSON.stringify(content)))
    .join("\n");
  const brief = /# Brief: [^\n\\]*/.exec(text)?.[0] ?? "";
  const fenced = text.match(/<<(untrusted-\w+) .*?<<\1 end of /gs);
  return fenced === null ? [text] : [brief, ...fenced];
}

/** Where the cache begins moves from request to request. */
function withoutMarks(key: string, value: unknown): unknown {
  return key === "cache_control" ? undefined : value;
}
