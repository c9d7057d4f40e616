/** What a worker keeps of conversations in memory, and what it reads from the store again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createFileArtifacts } from "../../activities/adapters/artifacts/file.ts";
import { Conversations, type StoredTurn } from "../../activities/conversation.ts";
import type { Artifacts } from "../../domain/ports.ts";

const MAX_BYTES = 100_000;
let folder: string;
let artifacts: Artifacts;
let reads: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mergewright-conversations-"));
  reads = [];
  const store = createFileArtifacts(folder);
  const get: Artifacts["get"] = (key) => {
    reads.push(key);
    return store.get(key);
  };
  artifacts = Object.create(store, { get: { value: get } }) as Artifacts;
});
afterEach(() => rm(folder, { recursive: true }));

function turnAfter(previous: string | null, characters: number): StoredTurn {
  const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 };
  return {
    previous,
    user: { role: "user", content: "x".repeat(characters) },
    reply: { content: [], stopReason: "end_turn", usage, model: "played", requestBytes: 1 },
  };
}

/** Takes turns of so many characters each, and tells the key of the last. */
async function converse(on: Conversations, name: string, turns: number, characters: number): Promise<string> {
  let previous: string | null = null;
  for (let turn = 0; turn < turns; turn += 1) {
    const key: string = `runs/${name}/turns/${turn}.json`;
    await on.append(key, turnAfter(previous, characters));
    previous = key;
  }
  return previous!;
}

it("conversations are kept up to a number of bytes, and the one that goes on is among them", async () => {
  const conversations = new Conversations(artifacts, MAX_BYTES);
  const last = new Map<string, string>();
  for (const name of ["a", "b", "c", "d"]) {
    last.set(name, await converse(conversations, name, 10, 4_000));
    expect(conversations.keptBytes).toBeLessThanOrEqual(MAX_BYTES);
  }
  expect(conversations.keptBytes).toBeGreaterThan(MAX_BYTES / 2);
  reads.length = 0;
  expect(await conversations.upTo(last.get("d")!)).toHaveLength(10);
  expect(reads).toEqual([]);
  // What had to go is read again, whole and in order.
  const again = await conversations.upTo(last.get("a")!);
  expect(again.map(({ previous }) => previous)).toEqual([
    null,
    ...Array.from({ length: 9 }, (_, turn) => `runs/a/turns/${turn}.json`),
  ]);
  expect(reads).toHaveLength(10);
});

it("a conversation that is larger than all that may be kept goes on from the store", async () => {
  const conversations = new Conversations(artifacts, MAX_BYTES);
  const last = await converse(conversations, "long", 12, 10_000);
  expect(conversations.keptBytes).toBeLessThanOrEqual(MAX_BYTES);
  expect(await conversations.upTo(last)).toHaveLength(12);
});
