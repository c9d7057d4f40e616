/** What a reply of Claude says to us: the calls that it asks for, or its answer. */
import { createHash } from "node:crypto";
import type { ContentBlock } from "@anthropic-ai/sdk/resources";
import { readAnswer, textOf } from "../agents/answers.ts";
import { ROLES } from "../agents/roles.ts";
import { onlyReads } from "../agents/tools.ts";
import type { Role } from "../domain/ids.ts";
import { headOf, oneLine } from "../domain/text.ts";
import type { ToolCallRef, Turn } from "./contract.ts";

export function readReply(role: Role, content: ContentBlock[]): Pick<Turn, "calls" | "answer"> {
  const calls = content.filter((block) => block.type === "tool_use").map(callRef);
  return { calls, answer: calls.length > 0 ? null : answerIn(role, textOf(content)) };
}

function answerIn(role: Role, text: string): Turn["answer"] {
  const schema = ROLES[role].answer;
  if (schema === null)
    return text.trim() === "" ? { kind: "invalid", problem: EMPTY } : { kind: "text", text: headOf(text, MAX_SUMMARY) };
  if (text.length > MAX_ANSWER) return { kind: "invalid", problem: tooLong(text.length) };
  const answer = readAnswer(schema, text);
  return answer.kind === "wrong" ? { kind: "invalid", problem: answer.say } : { kind: "data", value: answer.value };
}

const EMPTY = "Your reply was empty. Go on with the work, or say in a few sentences what you have done.";
/** An answer goes into the history, where a result over 2 MB would end the run, into briefs and onto pages. Real ones have 2,000. */
const MAX_ANSWER = 100_000;
function tooLong(length: number): string {
  return `Your answer has ${length} characters; at most ${MAX_ANSWER} are taken. Say it shorter.`;
}
/** A summary goes into the history, the commit and the pull request: a few paragraphs are enough. */
const MAX_SUMMARY = 6_000;

function callRef(block: { id: string; name: string; input: unknown }): ToolCallRef {
  const { id, name, input } = block;
  return { id, name, onlyReads: onlyReads(block), summary: summaryOf(block), digest: shortDigest([name, input]) };
}

/** One line for the timeline of the Web UI. */
function summaryOf({ name, input }: { name: string; input: unknown }): string {
  const { command, path, restart } = (input ?? {}) as { command?: unknown; path?: unknown; restart?: unknown };
  if (name === "search_code")
    return oneLine(`search_code ${String((input as { query?: unknown } | null)?.query)}`, 120);
  if (name === "bash") return oneLine(restart ? "restart the shell" : `$ ${String(command)}`, 120);
  return oneLine(
    [name === "str_replace_based_edit_tool" ? String(command) : name, typeof path === "string" ? path : ""].join(" "),
    120,
  );
}

/** Sixteen hexadecimal digits tell the calls of one conversation apart. */
export function shortDigest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}
