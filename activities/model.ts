/** One call to Claude, paid at most once: a reply that was received is found again under the digest of its request. */
import { createHash } from "node:crypto";
import type { ContentBlock } from "@anthropic-ai/sdk/resources";
import { limitFindings, readAnswer, textOf } from "../agents/answers.ts";
import { composeBrief } from "../agents/briefs.ts";
import { type Segment, toolResult } from "../agents/conversation.ts";
import { composeRequest } from "../agents/request.ts";
import { ROLES } from "../agents/roles.ts";
import { onlyReads } from "../agents/tools.ts";
import type { Brief, InstructionFile } from "../domain/brief.ts";
import type { ChangeSet } from "../domain/change.ts";
import type { RepositoryName } from "../domain/ids.ts";
import { costUsd, type ModelPrice } from "../domain/money.ts";
import type { Review } from "../domain/outputs.ts";
import type { Artifacts, Model, ModelRequest } from "../domain/ports.ts";
import type { IssueSnapshot } from "../domain/run.ts";
import type { RunSettings } from "../domain/settings.ts";
import { oneLine } from "../domain/text.ts";
import { findJson, getJson } from "./artifacts.ts";
import { changeKey } from "./change.ts";
import type { Activities, BriefRef, CallModelInput, ModelTurn, ToolCallRef } from "./contract.ts";
import { type Conversations, resultKey, type StoredResult, type StoredTurn, turnKey } from "./conversation.ts";
import { instructionsKey, issueKey } from "./ground.ts";
import type { SettingsOfRuns } from "./run-settings.ts";
import { working } from "./temporal.ts";

export interface ModelParts {
  modelFor: (repository: RepositoryName) => Model;
  artifacts: Artifacts;
  conversations: Conversations;
  settings: SettingsOfRuns;
}

export function createModelCalls({
  modelFor,
  artifacts,
  conversations,
  settings: runs,
}: ModelParts): Pick<Activities, "callModel"> {
  return {
    callModel: (input) =>
      working(async ({ signal, beat }): Promise<ModelTurn> => {
        const { run, role, conversation, turn, previous } = input;
        const [turns, user, settings] = await Promise.all([
          conversations.upTo(previous),
          userMessage(input),
          runs.of(run),
        ]);
        const request = composeRequest(role, settings.models[role], settings, [
          ...turns.flatMap(segmentsOf),
          ...(user ? [user] : []),
        ]);
        const key = turnKey(run, conversation, turn, digestOf(request, previous));

        let stored = await conversations.find(key);
        if (stored === null) {
          stored = {
            previous,
            user,
            reply: await modelFor(run.repository).reply(request, { signal, onProgress: beat }),
          };
          await conversations.append(key, stored);
        }
        return turnOf(input, key, stored, settings);
      }),
  };

  async function userMessage(input: CallModelInput): Promise<Segment | null> {
    const { said } = input;
    switch (said.kind) {
      case "brief":
        return saying([...(await closedCalls(input)), { type: "text", text: await briefText(input, said.brief) }]);
      case "text":
        return saying([{ type: "text", text: said.text }]);
      case "results": {
        const results = await Promise.all(said.calls.map((call) => resultOf(input, call)));
        return saying([...results, ...(said.note ? [{ type: "text" as const, text: said.note }] : [])]);
      }
      case "continue":
        return null;
    }
  }

  async function resultOf(
    { run, conversation, turn }: CallModelInput,
    call: ToolCallRef,
  ): Promise<Segment["content"][number]> {
    const result = await findJson<StoredResult>(artifacts, resultKey(run, conversation, turn - 1, call.id));
    return result
      ? toolResult(call.id, result.text, result.isError)
      : toolResult(call.id, "Not run: the reply that asked for it was cut off.", true);
  }

  /** A conversation that goes on after it gave up may have asked for tools last: Claude's API wants them answered. */
  async function closedCalls({ previous }: CallModelInput): Promise<Segment["content"]> {
    if (previous === null) return [];
    const { reply } = await conversations.turn(previous);
    const open = reply.content.filter((block) => block.type === "tool_use");
    return open.map((call) => toolResult(call.id, "Not run: the round ended before it.", true));
  }

  async function briefText({ run }: CallModelInput, brief: BriefRef): Promise<string> {
    const [issue, instructions, whole] = await Promise.all([
      getJson<IssueSnapshot>(artifacts, issueKey(run)),
      findJson<InstructionFile[]>(artifacts, instructionsKey(run)),
      wholeBrief(run, brief),
    ]);
    return composeBrief(whole, { issue, instructions: instructions ?? [], seed: run.runKey }).text;
  }

  async function wholeBrief(run: CallModelInput["run"], brief: BriefRef): Promise<Brief> {
    if (brief.kind !== "review") return brief;
    const { headSha, ...rest } = brief;
    const { patch, patchTruncated, files } = await getJson<ChangeSet>(artifacts, changeKey(run, headSha));
    return { ...rest, patch, patchTruncated, files };
  }

  async function turnOf(
    input: CallModelInput,
    key: string,
    { reply }: StoredTurn,
    settings: RunSettings,
  ): Promise<ModelTurn> {
    const { usage, content, stopReason, requestBytes } = reply;
    const calls = content.filter((block) => block.type === "tool_use").map(callRef);
    return {
      key,
      stopReason,
      calls,
      answer: calls.length > 0 ? null : await answerOf(input, content),
      costUsd: costUsd(usage, priceOf(settings, reply.model)),
      inputTokens: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
      outputTokens: usage.outputTokens,
      requestBytes,
    };
  }

  async function answerOf(
    { run, role, reviewOf }: CallModelInput,
    content: ContentBlock[],
  ): Promise<ModelTurn["answer"]> {
    const text = textOf(content);
    const schema = ROLES[role].answer;
    if (schema === null)
      return text.trim() === ""
        ? { kind: "invalid", problem: EMPTY }
        : { kind: "text", text: text.slice(0, MAX_SUMMARY) };
    const answer = readAnswer(schema, text);
    if (answer.kind === "wrong") return { kind: "invalid", problem: answer.say };
    if (reviewOf !== null) {
      const { patch } = await getJson<ChangeSet>(artifacts, changeKey(run, reviewOf));
      return { kind: "data", value: limitFindings(answer.value as Review, patch) };
    }
    return { kind: "data", value: answer.value };
  }
}

const EMPTY = "Your reply was empty. Go on with the work, or say in a few sentences what you have done.";
/** A summary goes into the history, the commit and the pull request: a few paragraphs are enough. */
const MAX_SUMMARY = 6_000;

function saying(content: Segment["content"]): Segment {
  return { role: "user", content };
}

function segmentsOf({ user, reply }: StoredTurn): Segment[] {
  const assistant: Segment = { role: "assistant", content: reply.content };
  return user ? [user as Segment, assistant] : [assistant];
}

/** The same conversation asked again gives the same digest: the past is in `previous`, what is new in the last message. */
function digestOf(request: ModelRequest, previous: string | null): string {
  const { messages, ...rest } = request;
  const fresh = previous === null ? messages : messages.at(-1);
  return createHash("sha256")
    .update(JSON.stringify([previous, fresh, rest]))
    .digest("hex")
    .slice(0, 32);
}

function callRef(block: { id: string; name: string; input: unknown }): ToolCallRef {
  return { id: block.id, name: block.name, onlyReads: onlyReads(block), summary: summaryOf(block) };
}

/** One line for the timeline of the Web UI. */
function summaryOf({ name, input }: { name: string; input: unknown }): string {
  const { command, path, restart } = (input ?? {}) as { command?: unknown; path?: unknown; restart?: unknown };
  if (name === "bash") return oneLine(restart ? "restart the shell" : `$ ${String(command)}`, 120);
  return oneLine(
    [name === "str_replace_based_edit_tool" ? String(command) : name, typeof path === "string" ? path : ""].join(" "),
    120,
  );
}

/** The API may answer with a dated name of the model that was asked for; the price of what was asked for holds then. */
function priceOf(settings: RunSettings, model: string): ModelPrice {
  const name = Object.keys(settings.prices).find((known) => model === known || model.startsWith(`${known}-`));
  const price =
    name === undefined ? Object.values(settings.prices).sort((a, b) => b.output - a.output)[0] : settings.prices[name];
  const { input = 0, output = 0, cache_read = 0, cache_write = 0 } = price ?? {};
  return { input, output, cacheRead: cache_read, cacheWrite: cache_write };
}
