/**
 * One turn: the tools that the last reply asked for, then Claude. Each tool's result and the reply are stored when they
 * come, so an attempt that follows a crash runs no tool and pays for no reply a second time.
 */
import { createHash } from "node:crypto";
import { ApplicationFailure } from "@temporalio/activity";
import { limitFindings } from "../agents/answers.ts";
import { composeRequest } from "../agents/request.ts";
import type { ChangeSet } from "../domain/change.ts";
import type { RepositoryName } from "../domain/ids.ts";
import { costUsd, type ModelPrice } from "../domain/money.ts";
import type { Review } from "../domain/outputs.ts";
import { REPLY_NOT_STORED } from "../domain/patience.ts";
import type { Artifacts, Model, ModelRequest } from "../domain/ports.ts";
import type { RunSettings } from "../domain/settings.ts";
import { getJson } from "./artifacts.ts";
import { changeKey } from "./change.ts";
import type { Activities, TakeTurnInput, Turn, UnsavedReply } from "./contract.ts";
import { type Conversations, replyKey, segmentsOf, type StoredTurn } from "./conversation.ts";
import { readReply } from "./reply.ts";
import { working } from "./temporal.ts";
import type { ToolParts } from "./tools.ts";
import { userMessage } from "./turn-message.ts";

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
          userMessage(parts, input, signal),
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
          stored = await store(conversations, key, { previous, user, reply });
        }
        const facts = await factsOf(artifacts, input, key, stored, settings);
        const workedMs = Math.round(performance.now() - beganAt);
        return { ...facts, checkpoint, resultsDigest, workedMs, home: parts.home };
      }),
  };
}

/** A reply that finds no place goes back with the failure: the next attempt may come to another worker. */
async function store(conversations: Conversations, key: string, turn: StoredTurn): Promise<StoredTurn> {
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

/**
 * Most replies are a tenth of it. A larger one might go to the place that is full or away just now (`storage.inline_bytes`), and is only kept
 * in the memory of its worker.
 */
const MAX_CARRIED_BYTES = 24 * 1024;

/** The same conversation asked again gives the same digest: the past is in `previous`, what is new in the last message. */
function digestOf(request: ModelRequest, previous: string | null): string {
  const { messages, ...rest } = request;
  const fresh = previous === null ? messages : messages.at(-1);
  return createHash("sha256")
    .update(JSON.stringify([previous, fresh, rest]))
    .digest("hex")
    .slice(0, 32);
}

async function factsOf(
  artifacts: Artifacts,
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
    answer: await onChangedLines(artifacts, input, answer),
    costUsd: costUsd(usage, priceOf(settings, reply.model)),
    inputTokens: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
    outputTokens: usage.outputTokens,
    requestBytes,
  };
}

/** The API may answer with a dated name of the model that was asked for; the price of what was asked for holds then. */
function priceOf(settings: RunSettings, model: string): ModelPrice {
  const name = Object.keys(settings.prices).find((known) => model === known || model.startsWith(`${known}-`));
  const price =
    name === undefined ? Object.values(settings.prices).sort((a, b) => b.output - a.output)[0] : settings.prices[name];
  const { input = 0, output = 0, cache_read = 0, cache_write = 0 } = price ?? {};
  return { input, output, cacheRead: cache_read, cacheWrite: cache_write };
}

/** Findings of a review count on the lines that the change touches. */
async function onChangedLines(
  artifacts: Artifacts,
  { workspace: { run }, reviewOf }: TakeTurnInput,
  answer: Turn["answer"],
): Promise<Turn["answer"]> {
  if (reviewOf === null || answer?.kind !== "data") return answer;
  const { patch } = await getJson<ChangeSet>(artifacts, changeKey(run, reviewOf));
  return { kind: "data", value: limitFindings(answer.value as Review, patch) };
}
