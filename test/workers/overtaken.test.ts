/** Attempts that go on although another has taken their place: nothing that the other stored or waits for is harmed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MockActivityEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLocalSandboxes, type LocalSandboxes } from "../../activities/adapters/sandbox/local.ts";
import type { TakeTurnInput } from "../../activities/contract.ts";
import { Conversations } from "../../activities/conversation.ts";
import { createTests } from "../../activities/tests.ts";
import { runCalls, type ToolParts } from "../../activities/tools.ts";
import { createTurns } from "../../activities/turn.ts";
import type { Artifacts, MemoryPort, Model, ModelReply } from "../../domain/ports.ts";
import { workspaceOn, type WorkspaceBench } from "../faults/sandbox-workspace.ts";
import { never } from "../sandbox/harness.ts";

let root: string;
let on: WorkspaceBench;
const engines: LocalSandboxes[] = [];
/** A sandbox engine of its own, as on another machine. */
function machine(): LocalSandboxes {
  const sandboxes = createLocalSandboxes({
    allowed: true,
    root: join(root, String(engines.length)),
    path: process.env["PATH"] ?? "",
  });
  engines.push(sandboxes);
  return sandboxes;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "mergewright-overtaken-"));
  on = await workspaceOn(machine());
});
afterAll(async () => {
  for (const sandboxes of engines) await sandboxes.reap({});
  on.bench.end();
  await rm(root, { recursive: true, force: true });
});

/** A worker on a machine of its own, with the store that all share. */
function worker(artifacts: Artifacts = on.parts.artifacts): ToolParts {
  return {
    ...on.parts,
    trees: new Map(),
    sandboxes: machine(),
    artifacts,
    conversations: new Conversations(artifacts),
    memory: {} as MemoryPort,
    draining: never,
  };
}

function inActivity<T>(work: () => Promise<T>, environment = new MockActivityEnvironment()): Promise<T> {
  return environment.run(work) as Promise<T>;
}

function turns(parts: ToolParts, model: Model) {
  const { takeTurn } = createTurns({ ...parts, modelFor: () => model, home: "home" });
  return (input: TakeTurnInput) => inActivity(() => takeTurn(input));
}

function replyWith(callId: string, command = "true"): ModelReply {
  return {
    content: [{ type: "tool_use", id: callId, name: "bash", input: { command } }],
    stopReason: "tool_use",
    usage: { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 },
    model: "claude-sonnet-5-5",
    requestBytes: 10,
  } as unknown as ModelReply;
}

function firstTurn(conversation: string): TakeTurnInput {
  return {
    role: "coder",
    conversation,
    turn: 1,
    previous: null,
    said: { kind: "text", text: "Mend it." },
    workspace: on.ref,
    reviewOf: null,
  };
}

/** Its first look for such a key comes before the other's write. */
function lookingTooEarly(part: string): Artifacts {
  let looked = false;
  const { artifacts } = on.parts;
  return {
    ...artifacts,
    get: async (key) => (!looked && key.includes(part) ? ((looked = true), null) : artifacts.get(key)),
  };
}

it("an attempt whose reply comes after another's goes on with the reply that was stored first", async () => {
  let letGo = (): void => undefined;
  const frozen = new Promise<void>((resolve) => (letGo = resolve));
  const late = worker();
  const input = firstTurn("replies");
  const overtaken = turns(late, { reply: () => frozen.then(() => replyWith("toolu_late")) })(input);
  const first = await turns(worker(), { reply: async () => replyWith("toolu_first") })(input);
  letGo();
  expect((await overtaken).calls).toEqual(first.calls);
  expect(first.calls.map((call) => call.id)).toEqual(["toolu_first"]);
  expect((await overtaken).key).toBe(first.key);
  for (const { conversations } of [late, worker()]) {
    const [turn] = await conversations.upTo(first.key);
    expect(turn?.reply.content).toEqual(replyWith("toolu_first").content);
  }
});

it("a tool that an overtaken attempt ran a second time has the result that was stored first", async () => {
  const taken = await turns(worker(), { reply: async () => replyWith("toolu_r", "echo $RANDOM-$RANDOM-$RANDOM") })(
    firstTurn("results"),
  );
  const input: TakeTurnInput = {
    ...firstTurn("results"),
    turn: 2,
    previous: taken.key,
    said: { kind: "results", calls: taken.calls },
  };
  const first = await runCalls(worker(), input, taken.calls, never);
  const late = await runCalls(worker(lookingTooEarly("toolu_r")), input, taken.calls, never);
  expect(first.results[0]?.text).toMatch(/\d+-\d+-\d+/);
  expect(late.results).toEqual(first.results);
});

it("tests that an overtaken attempt ran a second time have the outcome that was stored first", async () => {
  const input = {
    workspace: { ...on.ref, purpose: "check" },
    on: "branch" as const,
    command: "echo $RANDOM-$RANDOM-$RANDOM",
    timeoutMs: 20_000,
  };
  const tests = (parts: ToolParts) => inActivity(() => createTests(parts).runTests(input));
  const first = await tests(worker());
  const late = await tests(worker(lookingTooEarly("/tests/")));
  expect(JSON.stringify(first.output)).toMatch(/\d+-\d+-\d+/);
  expect(late).toEqual(first);
});
