/** What goes into a tool call and what comes out. */
import type { z } from "zod";
import type { CodeHit } from "../../domain/memory-ports.ts";
import type { Sandbox } from "../../domain/ports.ts";
import type { RepositorySettings } from "../../domain/settings.ts";
import { headOf } from "../../domain/text.ts";

export interface ToolCall {
  id: string;
  name: string;
  input: unknown;
}

export type ToolLimits = Pick<RepositorySettings["limits"], "output_characters" | "command_seconds">;

export interface ToolContext {
  sandbox: Sandbox;
  /** Commands of one conversation share working directory and exported variables under this name. */
  session: string;
  /** Unique for this call in this sandbox, and the same when the call is tried again. */
  key: string;
  limits: ToolLimits;
  signal: AbortSignal;
  /** Asks the index of the code, and throws when it cannot be asked. Absent: there is none. */
  searchCode?: (query: string, limit: number) => Promise<CodeHit[]>;
}

export interface ToolResult {
  text: string;
  isError: boolean;
  /** The working tree may differ from what it was: a checkpoint is due. */
  mayHaveChanged: boolean;
}

export function done(text: string): ToolResult {
  return { text, isError: false, mayHaveChanged: false };
}

export function changed(text: string): ToolResult {
  return { text, isError: false, mayHaveChanged: true };
}

/** Nothing was done. */
export function failed(text: string): ToolResult {
  return { text, isError: true, mayHaveChanged: false };
}

/** What zod found, in words that Claude can act on. */
export function wrongArguments(tool: string, error: z.ZodError, expected: string): ToolResult {
  const problems = error.issues.map((issue) => `${issue.path.join(".") || "input"}: ${issue.message}`);
  return failed(
    `Wrong arguments for ${tool}: ${headOf(problems.join("; "), 1000)}. Expected ${expected}. Nothing was done.`,
  );
}
