/** Puts together what one model call sends: the role's prompt and tools, the conversation so far, the breakpoints. */
import type { Role } from "../domain/ids.ts";
import type { ModelRequest } from "../domain/ports.ts";
import { composeMessages, composeSystem, type Segment } from "./conversation.ts";
import { type PromptSettings, ROLES, systemPrompt, toolsOf } from "./roles.ts";

export function composeRequest(
  role: Role,
  model: string,
  settings: PromptSettings,
  segments: readonly Segment[],
): ModelRequest {
  const spec = ROLES[role];
  return {
    model,
    system: composeSystem(systemPrompt(role, settings)),
    tools: toolsOf(role, settings),
    messages: composeMessages(segments),
    maxTokens: spec.maxTokens,
    outputSchema: spec.outputSchema,
  };
}
