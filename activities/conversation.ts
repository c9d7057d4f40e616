/** A conversation in the artifact store: a chain of turns, each naming the one before. Warm workers keep it in memory. */
import type Anthropic from "@anthropic-ai/sdk";
import type { Segment } from "../agents/conversation.ts";
import { runPrefix, turnKey } from "../domain/ids.ts";
import type { TokenUsage } from "../domain/money.ts";
import type { Artifacts } from "../domain/ports.ts";
import { findJson, getJson, putFirstJson } from "./artifacts.ts";
import type { Checkpoint, RunRef } from "./contract.ts";

export interface StoredTurn {
  /** Key of the turn before, or null for the first. */
  previous: string | null;
  /** null when the server had paused the reply before: the assistant simply goes on. */
  user: Anthropic.MessageParam | null;
  reply: {
    content: Anthropic.ContentBlock[];
    stopReason: string;
    usage: TokenUsage;
    model: string;
    requestBytes: number;
  };
}

/** What a tool call gave, as Claude is told. */
export interface StoredResult {
  text: string;
  isError: boolean;
  /** The tree after this call, when it changed. */
  checkpoint: Checkpoint | null;
  /** The sandbox had been lost, and was built anew from the last checkpoint before this call. */
  rebuilt: boolean;
}

/** Conversations that a worker holds at once, more than it works on at the same time. */
const KEPT = 64;
/** And their text: dozens of usual conversations, or a dozen that fill the largest context window. The others are read again. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** As large as most replies with what they answer; written over and over at one place. */
const ROOM = new Uint8Array(64 * 1024);

/** Turns in memory share their past, so that neither appending nor a repeated attempt copies or changes it. */
interface Kept {
  turn: StoredTurn;
  before: Kept | null;
  /** Of this turn and all before it. */
  bytes: number;
}

export class Conversations {
  readonly #artifacts: Artifacts;
  /** By the key of their last turn. */
  readonly #kept = new Map<string, Kept>();
  readonly #maxBytes: number;
  /** Turns that were received and could not be stored: the disk is full, or the store away. */
  readonly #unsaved = new Map<string, StoredTurn>();

  constructor(artifacts: Artifacts, maxBytes = KEPT_BYTES) {
    this.#artifacts = artifacts;
    this.#maxBytes = maxBytes;
  }

  /** What is held in memory; a past that two conversations share counts for both. */
  get keptBytes(): number {
    return [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** All turns up to and including the one of this key, oldest first. Throws ArtifactMissing. */
  async upTo(key: string | null): Promise<StoredTurn[]> {
    const turns: StoredTurn[] = [];
    for (let at = await this.#load(key); at !== null; at = at.before) turns.push(at.turn);
    return turns.reverse();
  }

  async turn(key: string): Promise<StoredTurn> {
    return this.#kept.get(key)?.turn ?? getJson<StoredTurn>(this.#artifacts, key);
  }

  async find(key: string): Promise<StoredTurn | null> {
    const unsaved = this.#unsaved.get(key);
    if (unsaved === undefined) return findJson<StoredTurn>(this.#artifacts, key);
    // Its worker had no place to put it: that is tried again, and Claude is not asked again.
    return this.append(key, unsaved);
  }

  /** Throws when nothing can be stored now: asked before a reply is paid for. */
  async makeSureOfRoom(run: RunRef): Promise<void> {
    await this.#artifacts.put(`${runPrefix(run.runKey)}/room`, ROOM);
  }

  /**
   * Stores a turn, and gives the one that counts: an attempt that was taken for dead may have been overtaken, and what follows goes by
   * the ids in the reply that was stored first. The turns before it stay as they are, for a reset or a fork.
   */
  async append(key: string, received: StoredTurn): Promise<StoredTurn> {
    this.#unsaved.set(key, received);
    if (this.#unsaved.size > KEPT) this.#unsaved.delete(this.#unsaved.keys().next().value!);
    const turn = await putFirstJson(this.#artifacts, key, received);
    this.#unsaved.delete(key);
    const before = await this.#load(turn.previous);
    if (turn.previous !== null) this.#kept.delete(turn.previous);
    this.#keep(key, linked(before, turn));
    return turn;
  }

  async #load(key: string | null): Promise<Kept | null> {
    if (key === null) return null;
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const missing: StoredTurn[] = [];
    for (let at: string | null = key; at !== null; at = missing.at(-1)!.previous) {
      missing.push(await getJson<StoredTurn>(this.#artifacts, at));
    }
    const loaded = missing.reduceRight<Kept | null>(linked, null);
    this.#keep(key, loaded!);
    return loaded;
  }

  #keep(key: string, conversation: Kept): void {
    this.#kept.set(key, conversation);
    let bytes = this.keptBytes;
    for (const [oldest, one] of this.#kept) {
      if (this.#kept.size <= KEPT && bytes <= this.#maxBytes) return;
      this.#kept.delete(oldest);
      bytes -= one.bytes;
    }
  }
}

function linked(before: Kept | null, turn: StoredTurn): Kept {
  return { turn, before, bytes: (before?.bytes ?? 0) + Buffer.byteLength(JSON.stringify(turn)) };
}

/** As a request says it. */
export function segmentsOf({ user, reply }: StoredTurn): Segment[] {
  const assistant: Segment = { role: "assistant", content: reply.content };
  return user ? [user as Segment, assistant] : [assistant];
}

export function replyKey(run: RunRef, conversation: string, turn: number, digest: string): string {
  return turnKey(run.runKey, conversation, turn, { reply: digest });
}

export function resultKey(run: Pick<RunRef, "runKey">, conversation: string, turn: number, callId: string): string {
  return turnKey(run.runKey, conversation, turn, { result: inKey(callId) });
}

/** Where it is counted how often the sandbox was lost in the middle of a call. */
export function lossesKey(run: Pick<RunRef, "runKey">, conversation: string, turn: number, callId: string): string {
  return turnKey(run.runKey, conversation, turn, { losses: inKey(callId) });
}

function inKey(callId: string): string {
  return callId.replaceAll(/[^A-Za-z0-9_-]/g, "_");
}
