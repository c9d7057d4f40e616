/**
 * One turn: the tools that the last reply asked for, then Claude. Each tool's result and the reply are stored when they
 * come, so an attempt that follows a crash runs no tool and pays for no reply a second time.
 */
import { createHash } from "node:crypto";
import type { ContentBlock } from "@anthropic-ai/sdk/resources";
import { ApplicationFailure } from "@temporalio/activity";
import { limitFindings, readAnswer, textOf } from "../agents/answers.ts";
import { composeBrief } from "../agents/briefs.ts";
import { openCalls, type Segment, toolResult } from "../agents/conversation.ts";
import { composeRequest } from "../agents/request.ts";
import { ROLES } from "../agents/roles.ts";
import { onlyReads } from "../agents/tools.ts";
import type { Brief, InstructionFile, LikelyFile, RememberedIssues } from "../domain/brief.ts";
import type { ChangeSet } from "../domain/change.ts";
import type { RepositoryName, Role } from "../domain/ids.ts";
import { costUsd, type ModelPrice } from "../domain/money.ts";
import type { Review } from "../domain/outputs.ts";
import { REPLY_NOT_STORED } from "../domain/patience.ts";
import type { Model, ModelRequest } from "../domain/ports.ts";
import type { IssueSnapshot } from "../domain/run.ts";
import type { RunSettings } from "../domain/settings.ts";
import { headOf, oneLine } from "../domain/text.ts";
import { findJson, getJson } from "./artifacts.ts";
import { changeKey } from "./change.ts";
import type {
  Activities,
  BriefRef,
  Checkpoint,
  RunRef,
  TakeTurnInput,
  ToolCallRef,
  Turn,
  UnsavedReply,
} from "./contract.ts";
import { type StoredTurn, replyKey } from "./conversation.ts";
import { instructionsKey, issueKey } from "./ground.ts";
import { readRecalled } from "./recall.ts";
import { working } from "./temporal.ts";
import { runCalls, type ToolParts } from "./tools.ts";

export interface TurnParts extends ToolParts {
  modelFor: (repository: RepositoryName) => Model;
  /** The task queue of this worker's own. */
  home: string;
}

export function createTurns(parts: TurnParts): Pick<Activities, "takeTurn"> {
  const { modelFor, artifacts, conversations } = parts;
  return {
    takeTurn: (input) =>
      working(async ({ signal, beat }): Promise<Turn> => {
        const { role, conversation, turn, previous } = input;
        const beganAt = performance.now();
        const { run } = input.workspace;
        const [turns, { user, checkpoint, resultsDigest }, settings] = await Promise.all([
          conversations.upTo(previous),
          userMessage(input, signal),
          parts.settings.of(run),
          conversations.makeSureOfRoom(run),
        ]);
        const request = composeRequest(role, settings.models[role], settings, [
          ...turns.flatMap(segmentsOf),
          ...(user ? [user] : []),
        ]);
        const key = replyKey(run, conversation, turn, digestOf(request, previous));

        let stored = await conversations.find(key);
        if (stored === null) {
          const known = input.unsaved?.key === key ? input.unsaved.reply : null;
          const reply = known ?? (await modelFor(run.repository).reply(request, { signal, onProgress: beat }));
          stored = await store(key, { previous, user, reply });
        }
        const facts = await factsOf(input, key, stored, settings);
        const workedMs = Math.round(performance.now() - beganAt);
        return { ...facts, checkpoint, resultsDigest, workedMs, home: parts.home };
      }),
  };

  /** A reply that finds no place goes back with the failure: the next attempt may come to another worker. */
  async function store(key: string, turn: StoredTurn): Promise<StoredTurn> {
    try {
      return await conversations.append(key, turn);
    } catch (error) {
      const unsaved: UnsavedReply = { key, reply: turn.reply };
      const fits = Buffer.byteLength(JSON.stringify(unsaved)) <= MAX_CARRIED_BYTES;
      const { message } = error as Error;
      throw ApplicationFailure.create({
        message,
        type: REPLY_NOT_STORED,
        nonRetryable: true,
        details: [fits ? { unsaved } : {}],
        cause: error as Error,
      });
    }
  }

  async function userMessage(input: TakeTurnInput, signal: AbortSignal): Promise<Message> {
    const { said } = input;
    const { checkpoint } = input.workspace;
    switch (said.kind) {
      case "brief":
        return message([...(await closedCalls(input)), words(await briefText(input, said.brief))], checkpoint);
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

  /** A conversation that goes on after it gave up may have asked for tools last: Claude's API wants them answered. */
  async function closedCalls({ previous }: TakeTurnInput): Promise<Segment["content"]> {
    if (previous === null) return [];
    const open = openCalls(segmentsOf(await conversations.turn(previous)));
    return open.map((call) => toolResult(call.id, "Not run: the round ended before it.", true));
  }

  async function briefText({ workspace: { run } }: TakeTurnInput, brief: BriefRef): Promise<string> {
    const [issue, instructions, whole] = await Promise.all([
      getJson<IssueSnapshot>(artifacts, issueKey(run)),
      findJson<InstructionFile[]>(artifacts, instructionsKey(run)),
      wholeBrief(run, brief),
    ]);
    return composeBrief(whole, { issue, instructions: instructions ?? [], seed: run.runKey }).text;
  }

  async function wholeBrief(run: RunRef, brief: BriefRef): Promise<Brief> {
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

  async function factsOf(
    input: TakeTurnInput,
    key: string,
    { reply }: StoredTurn,
    settings: RunSettings,
  ): Promise<Omit<Turn, "checkpoint" | "resultsDigest" | "workedMs" | "home">> {
    const { usage, content, stopReason, requestBytes } = reply;
    const { calls, answer } = readReply(input.role, content);
    return {
      key,
      stopReason,
      calls,
      answer: await onChangedLines(input, answer),
      costUsd: costUsd(usage, priceOf(settings, reply.model)),
      inputTokens: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
      outputTokens: usage.outputTokens,
      requestBytes,
    };
  }

  /** Findings of a review count on the lines that the change touches. */
  async function onChangedLines(
    { workspace: { run }, reviewOf }: TakeTurnInput,
    answer: Turn["answer"],
  ): Promise<Turn["answer"]> {
    if (reviewOf === null || answer?.kind !== "data") return answer;
    const { patch } = await getJson<ChangeSet>(artifacts, changeKey(run, reviewOf));
    return { kind: "data", value: limitFindings(answer.value as Review, patch) };
  }
}

/** What a reply asks for, or answers. */
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

/**
 * Most replies are a tenth of it. A larger one might go to the place that is full or away just now (`storage.inline_bytes`), and is only kept
 * in the memory of its worker.
 */
const MAX_CARRIED_BYTES = 24 * 1024;

const EMPTY = "Your reply was empty. Go on with the work, or say in a few sentences what you have done.";
/** An answer goes into the history, where a result over 2 MB would end the run, into briefs and onto pages. Real ones have 2,000. */
const MAX_ANSWER = 100_000;
function tooLong(length: number): string {
  return `Your answer has ${length} characters; at most ${MAX_ANSWER} are taken. Say it shorter.`;
}
/** A summary goes into the history, the commit and the pull request: a few paragraphs are enough. */
const MAX_SUMMARY = 6_000;

const CUT_OFF = "Your last reply reached its token limit and was cut. Go on in smaller steps.";
const REBUILT =
  "The sandbox was lost and has been rebuilt: the working tree is as it was, but running processes, ignored files and installed packages are gone.";

interface Message {
  user: Segment | null;
  /** The last tree that is safe. */
  checkpoint: Checkpoint | null;
  resultsDigest: string | null;
}

function message(content: Segment["content"], checkpoint: Checkpoint | null): Message {
  return { user: { role: "user", content }, checkpoint, resultsDigest: null };
}

function words(text: string): Segment["content"][number] {
  return { type: "text", text };
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
  const { id, name, input } = block;
  return { id, name, onlyReads: onlyReads(block), summary: summaryOf(block), digest: shortDigest([name, input]) };
}

/** Sixteen hexadecimal digits tell the calls of one conversation apart. */
function shortDigest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
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

/** The API may answer with a dated name of the model that was asked for; the price of what was asked for holds then. */
function priceOf(settings: RunSettings, model: string): ModelPrice {
  const name = Object.keys(settings.prices).find((known) => model === known || model.startsWith(`${known}-`));
  const price =
    name === undefined ? Object.values(settings.prices).sort((a, b) => b.output - a.output)[0] : settings.prices[name];
  const { input = 0, output = 0, cache_read = 0, cache_write = 0 } = price ?? {};
  return { input, output, cacheRead: cache_read, cacheWrite: cache_write };
}
