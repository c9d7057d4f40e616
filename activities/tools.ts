/** One tool call of Claude's, run in its workspace at most once, with the tree made safe when it changed. */
import type { ToolUseBlock } from "@anthropic-ai/sdk/resources";
import { runTool } from "../agents/tools.ts";
import { findJson, putJson } from "./artifacts.ts";
import { type Conversations, resultKey, type StoredResult } from "./conversation.ts";
import type { Activities, ToolTurn } from "./contract.ts";
import { working } from "./temporal.ts";
import { checkpoint, openWorkspace, sandboxKey, type WorkspaceParts } from "./workspace.ts";

export interface ToolParts extends WorkspaceParts {
  conversations: Conversations;
}

/** With the outcome beside it, so that a repeated attempt knows all that the first one did. */
type ToolRecord = StoredResult & { outcome: ToolTurn };

export function createTools(parts: ToolParts): Pick<Activities, "runTool" | "closeSandbox"> {
  return {
    runTool: (input) =>
      working(async ({ signal }): Promise<ToolTurn> => {
        const { workspace, conversation, turn, turnKey, callId } = input;
        const { limits } = await parts.settings.of(workspace.run);
        const key = resultKey(workspace.run, conversation, turn, callId);
        const known = await findJson<ToolRecord>(parts.artifacts, key);
        if (known) return known.outcome;

        const call = callOf((await parts.conversations.turn(turnKey)).reply.content, callId);
        const { sandbox, rebuilt } = await openWorkspace(parts, workspace, signal);
        const journalKey = `${conversation}-${turn}-${callId}`;
        const result = await runTool(call, {
          sandbox,
          session: conversation,
          key: journalKey,
          limits,
          signal,
        });
        const saved = result.mayHaveChanged
          ? await checkpoint(parts, workspace, conversation, sandbox, journalKey, signal)
          : null;
        const outcome: ToolTurn = { isError: result.isError, checkpoint: saved, rebuilt };
        await putJson(parts.artifacts, key, {
          text: result.text,
          isError: result.isError,
          outcome,
        } satisfies ToolRecord);
        return outcome;
      }),

    closeSandbox: ({ run, purpose }) => working(() => parts.sandboxes.close(sandboxKey(run, purpose))),
  };
}

function callOf(content: readonly { type: string }[], callId: string): ToolUseBlock {
  const call = content.find(
    (block): block is ToolUseBlock => block.type === "tool_use" && (block as ToolUseBlock).id === callId,
  );
  if (!call)
    throw new Error(`The stored reply has no tool call ${callId}: the artifact store was changed by something else.`);
  return call;
}
