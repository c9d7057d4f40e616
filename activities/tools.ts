/** The tool calls of a reply, each run in the workspace at most once, with the tree made safe when it changed. */
import type { ToolUseBlock } from "@anthropic-ai/sdk/resources";
import { failed } from "../agents/tools/result.ts";
import { runTool } from "../agents/tools.ts";
import { scopeOfRepository } from "../domain/memory.ts";
import type { MemoryPort } from "../domain/memory-ports.ts";
import { findJson, putFirstJson } from "./artifacts.ts";
import type { Activities, Checkpoint, RunRef, TakeTurnInput, ToolCallRef, WorkspaceRef } from "./contract.ts";
import { type Conversations, lossesKey, resultKey, type StoredResult, type StoredTurn } from "./conversation.ts";
import { MAX_LOSSES, orGivenUp } from "./losses.ts";
import { untilDraining, working } from "./temporal.ts";
import { within } from "./within.ts";
import {
  checkpoint,
  closeWorkspace,
  forget,
  markSafe,
  openWorkspace,
  remember,
  type Saving,
  type WorkspaceParts,
} from "./workspace.ts";

export interface ToolParts extends WorkspaceParts {
  conversations: Conversations;
  memory: MemoryPort;
  draining: AbortSignal;
}

/** An agent can grep; it should not wait. */
const SEARCH_WITHIN_MS = 5_000;

export function createSandboxEnding(parts: Pick<ToolParts, "sandboxes" | "trees">): Pick<Activities, "closeSandbox"> {
  return { closeSandbox: (of) => working(() => closeWorkspace(parts, of)) };
}

/**
 * Runs the calls in Claude's order, neighbours that only read side by side. A call whose result is stored is not run
 * again, so an attempt that follows a crash goes on where the other stopped. Throws what the sandbox and the store throw.
 */
export async function runCalls(
  parts: ToolParts,
  input: TakeTurnInput,
  calls: readonly ToolCallRef[],
  signal: AbortSignal,
): Promise<{ results: StoredResult[]; checkpoint: Checkpoint | null }> {
  const results: StoredResult[] = [];
  let last = input.workspace.checkpoint;
  for (const group of grouped(calls)) {
    const workspace = { ...input.workspace, checkpoint: last };
    const done = await untilDraining(parts.draining, signal, (until) =>
      Promise.all(group.map((call) => runCall(parts, input, workspace, call.id, results.length > 0, until))),
    ).catch((error: unknown) => {
      forget(parts, workspace);
      throw error;
    });
    for (const result of done) last = result.checkpoint ?? last;
    results.push(...done);
  }
  return { results, checkpoint: last };
}

async function runCall(
  parts: ToolParts,
  { conversation, turn, previous }: TakeTurnInput,
  workspace: WorkspaceRef,
  callId: string,
  afterOthers: boolean,
  signal: AbortSignal,
): Promise<StoredResult> {
  // The calls belong to the turn before, whose reply asked for them.
  const key = resultKey(workspace.run, conversation, turn - 1, callId);
  const known = await findJson<StoredResult>(parts.artifacts, key);
  if (known) return known;

  const asked = await parts.conversations.turn(previous!);
  const call = callOf(asked.reply.content, callId);
  const { limits } = await parts.settings.of(workspace.run);
  const journalKey = `${conversation}-${turn - 1}-${callId}`;
  const { sandbox, filled, rebuilt } = await openWorkspace(parts, workspace, journalKey, signal);
  const run = () =>
    runTool(call, {
      sandbox,
      session: conversation,
      key: journalKey,
      limits,
      signal,
      searchCode: (query, limit) =>
        within(SEARCH_WITHIN_MS, "The index of the code", signal, (until) =>
          parts.memory.code.search(scopeOfRepository(workspace.run.repository), query, { limit, signal: until }),
        ),
    });
  const losses = lossesKey(workspace.run, conversation, turn - 1, callId);
  const { text, isError, mayHaveChanged } = await orGivenUp(parts.artifacts, losses, run, async () => {
    // The next call gets one built from the last checkpoint.
    await closeWorkspace(parts, workspace);
    return failed(LOST_EACH_TIME);
  });
  const saved: Saving = mayHaveChanged
    ? await checkpoint(parts, workspace, conversation, sandbox, journalKey, signal)
    : { kind: "unchanged", looked: false };
  const result: StoredResult = {
    text: saved.kind === "failed" ? `${text}\n\n${notSaved(saved.reason)}` : text,
    isError: isError || saved.kind === "failed",
    checkpoint: saved.kind === "saved" ? saved.checkpoint : null,
    rebuilt: rebuilt || (filled && (afterOthers || (await ranBefore(parts, workspace.run, conversation, turn, asked)))),
  };
  const stored = await putFirstJson(parts.artifacts, key, result);
  await markSafe(sandbox, saved, signal);
  if (saved.kind === "saved") remember(parts, { ...workspace, checkpoint: saved.checkpoint });
  // Without its repository nothing in it can be saved any more: the next call gets one built from the last checkpoint.
  if (saved.kind === "failed" && (await sandbox.read(".git", 1, signal)).kind !== "directory") {
    await closeWorkspace(parts, workspace);
  }
  return stored;
}

/**
 * Whether the message that this reply answers told what a tool gave: what that had installed or started is gone with its sandbox, also
 * where nothing was saved yet.
 */
async function ranBefore(
  { artifacts }: ToolParts,
  run: RunRef,
  conversation: string,
  turn: number,
  { user }: StoredTurn,
): Promise<boolean> {
  const told = typeof user?.content === "string" ? [] : (user?.content ?? []);
  const ids = told.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []));
  // Calls that were closed unrun have an answer, too, but no result.
  const found = await Promise.all(
    ids.map((id) => findJson<StoredResult>(artifacts, resultKey(run, conversation, turn - 2, id))),
  );
  return found.some((result) => result !== null);
}

const LOST_EACH_TIME = `[Given up: ${MAX_LOSSES} times the sandbox was lost while this ran, and what it had changed with it. The next call finds the tree as it was before. Do not kill processes that you have not started, and use less memory.]`;

function notSaved(reason: string): string {
  return `[The working tree could not be saved after this: what changed since the last saved state is lost with the sandbox. Mend this before you go on (free space, remove nested or broken repositories). Git said: ${reason}]`;
}

/** Neighbouring calls that only read, together; every other call by itself. */
function grouped(calls: readonly ToolCallRef[]): ToolCallRef[][] {
  const groups: ToolCallRef[][] = [];
  let reading = false;
  for (const call of calls) {
    if (call.onlyReads && reading) groups.at(-1)!.push(call);
    else groups.push([call]);
    reading = call.onlyReads;
  }
  return groups;
}

function callOf(content: readonly { type: string }[], callId: string): ToolUseBlock {
  const call = content.find(
    (block): block is ToolUseBlock => block.type === "tool_use" && (block as ToolUseBlock).id === callId,
  );
  if (!call) {
    throw new Error(`The stored reply has no tool call ${callId}: the artifact store was changed by something else.`);
  }
  return call;
}
