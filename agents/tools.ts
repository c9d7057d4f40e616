/** What happens when Claude uses a tool: always a result for it to read, never a throw for what it did wrong. */
import { runBash } from "./tools/bash.ts";
import { runEditor } from "./tools/editor.ts";
import { runSearchCode } from "./tools/search-code.ts";
import { failed } from "./tools/result.ts";
import type { ToolContext, ToolCall, ToolResult } from "./tools/result.ts";

export { onlyReads } from "./tools/reading.ts";
export type { ToolCall, ToolContext, ToolResult } from "./tools/result.ts";

/**
 * Runs one tool call in the sandbox. `context.key` names the call in the sandbox's journal, so that a retried attempt finds
 * what was done. Throws only what is nobody's mistake: the sandbox's own errors, and the abort reason of the signal.
 */
export async function runTool(call: ToolCall, context: ToolContext): Promise<ToolResult> {
  if (isRecord(call.input) && "INVALID_JSON" in call.input) {
    return failed(
      "The input of this call was no valid JSON; it was probably cut off by the length limit of a message. Nothing was done. Send it again, in smaller pieces.",
    );
  }
  const run = Object.hasOwn(TOOLS, call.name) ? TOOLS[call.name] : undefined;
  if (!run)
    return failed(
      `There is no tool named ${JSON.stringify(call.name.slice(0, 100))}. The tools are: ${Object.keys(TOOLS).join(", ")}.`,
    );
  return run(call.input, context);
}

const TOOLS: Readonly<Record<string, (input: unknown, context: ToolContext) => Promise<ToolResult>>> = {
  bash: runBash,
  str_replace_based_edit_tool: runEditor,
  search_code: runSearchCode,
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
