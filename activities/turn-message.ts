/** What Claude is told in a turn: its brief, what its tools gave, or a few words. Tools that were asked for run here. */
import { composeBrief } from "../agents/briefs.ts";
import { openCalls, type Segment, toolResult } from "../agents/conversation.ts";
import type { Brief, InstructionFile, LikelyFile, RememberedIssues } from "../domain/brief.ts";
import type { ChangeSet } from "../domain/change.ts";
import type { Artifacts } from "../domain/ports.ts";
import type { IssueSnapshot } from "../domain/run.ts";
import { findJson, getJson } from "./artifacts.ts";
import { changeKey } from "./change.ts";
import type { BriefRef, Checkpoint, RunRef, TakeTurnInput } from "./contract.ts";
import { segmentsOf } from "./conversation.ts";
import { instructionsKey, issueKey } from "./ground.ts";
import { readRecalled } from "./recall.ts";
import { shortDigest } from "./reply.ts";
import { runCalls, type ToolParts } from "./tools.ts";

export interface Message {
  user: Segment | null;
  /** The last tree that is safe. */
  checkpoint: Checkpoint | null;
  resultsDigest: string | null;
}

export async function userMessage(parts: ToolParts, input: TakeTurnInput, signal: AbortSignal): Promise<Message> {
  const { said } = input;
  const { checkpoint } = input.workspace;
  switch (said.kind) {
    case "brief":
      return message(
        [
          ...(await closedCalls(parts, input)),
          words(await briefText(parts.artifacts, input.workspace.run, said.brief)),
        ],
        checkpoint,
      );
    case "text":
      return message([words(said.text)], checkpoint);
    case "results": {
      const done = await runCalls(parts, input, said.calls, signal);
      const results = done.results.map((result, index) =>
        toolResult(said.calls[index]!.id, result.text, result.isError),
      );
      const rebuilt = done.results.some((result) => result.rebuilt);
      const notes = [...(rebuilt ? [REBUILT] : []), ...(said.note === undefined ? [] : [said.note])];
      const resultsDigest = shortDigest(done.results.map(({ text, isError }) => [text, isError]));
      return { ...message([...results, ...notes.map(words)], done.checkpoint), resultsDigest };
    }
    case "cut-off": {
      const results = said.calls.map((call) =>
        toolResult(call.id, "Not run: the reply that asked for it was cut off.", true),
      );
      return message([...results, words(CUT_OFF)], checkpoint);
    }
    case "continue":
      return { user: null, checkpoint, resultsDigest: null };
  }
}

const CUT_OFF = "Your last reply reached its token limit and was cut. Go on in smaller steps.";
const REBUILT =
  "The sandbox was lost and has been rebuilt: the working tree is as it was, but running processes, ignored files and installed packages are gone.";

function message(content: Segment["content"], checkpoint: Checkpoint | null): Message {
  return { user: { role: "user", content }, checkpoint, resultsDigest: null };
}

function words(text: string): Segment["content"][number] {
  return { type: "text", text };
}

/** A conversation that goes on after it gave up may have asked for tools last: Claude's API wants them answered. */
async function closedCalls({ conversations }: ToolParts, { previous }: TakeTurnInput): Promise<Segment["content"]> {
  if (previous === null) return [];
  const open = openCalls(segmentsOf(await conversations.turn(previous)));
  return open.map((call) => toolResult(call.id, "Not run: the round ended before it.", true));
}

async function briefText(artifacts: Artifacts, run: RunRef, brief: BriefRef): Promise<string> {
  const [issue, instructions, whole] = await Promise.all([
    getJson<IssueSnapshot>(artifacts, issueKey(run)),
    findJson<InstructionFile[]>(artifacts, instructionsKey(run)),
    wholeBrief(artifacts, run, brief),
  ]);
  return composeBrief(whole, { issue, instructions: instructions ?? [], seed: run.runKey }).text;
}

async function wholeBrief(artifacts: Artifacts, run: RunRef, brief: BriefRef): Promise<Brief> {
  if (brief.kind === "revise") return brief;
  if (brief.kind !== "review") {
    const { recalled, ...rest } = brief;
    if (recalled === undefined) return rest;
    const [issues, files] = await Promise.all([
      readRecalled<RememberedIssues>(artifacts, recalled.issues),
      readRecalled<LikelyFile[]>(artifacts, recalled.code),
    ]);
    return { ...rest, remembered: { issues, files: files ?? [] } };
  }
  const { headSha, ...rest } = brief;
  const { patch, patchTruncated, files } = await getJson<ChangeSet>(artifacts, changeKey(run, headSha));
  return { ...rest, patch, patchTruncated, files };
}
