/** Who there is: for each role what it is told, what it may use, what it must return, and how much it may say at once. */
import type Anthropic from "@anthropic-ai/sdk";
import type { Role } from "../domain/ids.ts";
import { Classification, Plan, Review } from "../domain/outputs.ts";
import type { RepositorySettings } from "../domain/settings.ts";
import type { z } from "zod";
import { renderPrompt } from "./prompts.ts";
import { type JsonSchema, outputSchema } from "./schema.ts";
import { SEARCH_CODE } from "./tools/search-code.ts";

export interface RoleSpec {
  promptFile: string;
  /** The placeholders that its prompt uses. */
  promptValues: readonly (keyof PromptValues)[];
  tools: Anthropic.ToolUnion[];
  /** For roles that answer with data: checked on receipt. */
  answer: z.ZodType | null;
  outputSchema: JsonSchema | null;
  /** Tokens of one reply, thinking included. */
  maxTokens: number;
}

/** What prompts may say about the place: all from the settings, so that a prompt is the same for every run of a repository. */
export interface PromptValues {
  command_seconds: string;
  output_characters: string;
  protected_paths: string;
}

/** The part of the settings that prompts speak of. */
export interface PromptSettings {
  limits: Pick<RepositorySettings["limits"], "command_seconds" | "output_characters">;
  policy: Pick<RepositorySettings["policy"], "protected_paths">;
  /** Absent in runs of older versions. */
  memory?: Pick<RepositorySettings["memory"], "enabled">;
}

/** Claude's own client tools: it was trained on them, so they need no description of ours. */
const TOOLS: Anthropic.ToolUnion[] = [
  { type: "bash_20250124", name: "bash" },
  { type: "text_editor_20250728", name: "str_replace_based_edit_tool" },
];

/** For those who have to find their way about. */
const FINDING_TOOLS: Anthropic.ToolUnion[] = [...TOOLS, SEARCH_CODE];

export const ROLES: Readonly<Record<Role, RoleSpec>> = {
  classifier: {
    promptFile: "classifier.md",
    promptValues: [],
    tools: [],
    ...returns(Classification),
    maxTokens: 4_000,
  },
  planner: {
    promptFile: "planner.md",
    promptValues: ["command_seconds", "output_characters", "protected_paths"],
    tools: FINDING_TOOLS,
    ...returns(Plan),
    maxTokens: 16_000,
  },
  coder: {
    promptFile: "coder.md",
    promptValues: ["command_seconds", "output_characters", "protected_paths"],
    tools: FINDING_TOOLS,
    answer: null,
    outputSchema: null,
    maxTokens: 32_000,
  },
  reviewer: {
    promptFile: "reviewer.md",
    promptValues: ["command_seconds", "output_characters"],
    tools: TOOLS,
    ...returns(Review),
    maxTokens: 16_000,
  },
};

/** The tools of a role under these settings: without a memory there is nothing to search. */
export function toolsOf(role: Role, { memory }: PromptSettings): Anthropic.ToolUnion[] {
  const { tools } = ROLES[role];
  return memory?.enabled === true ? tools : tools.filter((tool) => tool !== SEARCH_CODE);
}

/** The system prompt of a role under these settings. */
export function systemPrompt(role: Role, settings: PromptSettings): string {
  const all: PromptValues = {
    command_seconds: String(settings.limits.command_seconds),
    output_characters: String(settings.limits.output_characters),
    protected_paths: settings.policy.protected_paths.map((path) => `\`${path}\``).join(", ") || "none",
  };
  const spec = ROLES[role];
  return renderPrompt(spec.promptFile, Object.fromEntries(spec.promptValues.map((name) => [name, all[name]])));
}

function returns(answer: z.ZodType): Pick<RoleSpec, "answer" | "outputSchema"> {
  return { answer, outputSchema: outputSchema(answer) };
}
