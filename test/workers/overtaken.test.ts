/** Attempts that go on although another has taken their place: nothing that the other stored or waits for is harmed. And sandboxes that are lost between two. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ActivityCancellationDetails, CancelledFailure } from "@temporalio/common";
import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger } from "@temporalio/worker";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLocalSandboxes, type LocalSandboxes } from "../../activities/adapters/sandbox/local.ts";
import type { TakeTurnInput } from "../../activities/contract.ts";
import { Conversations } from "../../activities/conversation.ts";
import { createTests } from "../../activities/tests.ts";
import { runCalls, type ToolParts } from "../../activities/tools.ts";
import { createTurns } from "../../activities/turn.ts";
import { SandboxLost, WorkerStopping } from "../../domain/errors.ts";
import type { MemoryPort } from "../../domain/memory-ports.ts";
import type { Artifacts, Model, ModelReply } from "../../domain/ports.ts";
import { workspaceOn, type WorkspaceBench } from "../faults/sandbox-workspace.ts";
import { never, until } from "../sandbox/harness.ts";

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

/** Attempts fail on purpose here. */
function quietly(): MockActivityEnvironment {
  return new MockActivityEnvironment({}, { logger: new DefaultLogger("ERROR") });
}

function inActivity<T>(work: () => Promise<T>, environment = quietly()): Promise<T> {
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

const testsOf = (purpose: string, command: string) => ({
  workspace: { ...on.ref, purpose },
  on: "branch" as const,
  command,
  timeoutMs: 20_000,
});

/** Purposes whose sandbox is open. */
async function opened({ sandboxes }: ToolParts): Promise<string[]> {
  return (await sandboxes.known()).map(({ key }) => key.slice(on.ref.run.runKey.length + 1));
}

it("tests that an overtaken attempt ran a second time have the outcome that was stored first", async () => {
  const input = testsOf("check", "echo $RANDOM-$RANDOM-$RANDOM");
  const tests = (parts: ToolParts) => inActivity(() => createTests(parts).runTests(input));
  const first = await tests(worker());
  const late = await tests(worker(lookingTooEarly("/tests/")));
  expect(JSON.stringify(first.output)).toMatch(/\d+-\d+-\d+/);
  expect(late).toEqual(first);
});

describe("an attempt that waits for a command", () => {
  /** Begins tests of two seconds, ends the attempt in the middle, and tells what the next one has. */
  async function next(
    purpose: string,
    end: (environment: MockActivityEnvironment, draining: AbortController) => void,
  ): Promise<{ begun: number; exitCode: number | null; failure: unknown }> {
    const log = join(root, `${purpose}.log`);
    const input = testsOf(purpose, `echo begun >> ${log}; sleep 2; echo ended >> ${log}`);
    const draining = new AbortController();
    const environment = quietly();
    const parts = worker();
    const attempt = inActivity(
      () => createTests({ ...parts, draining: draining.signal }).runTests(input),
      environment,
    ).catch((error: unknown) => error);
    const lines = async () =>
      (await readFile(log, "utf8").catch(() => "")).split("\n").filter((line) => line === "begun");
    await until("the tests run", async () => (await lines()).length === 1);
    end(environment, draining);
    const failure = await attempt;
    const again = () => inActivity(() => createTests({ ...parts, trees: new Map() }).runTests(input));
    const { exitCode } = await again().catch(again);
    return { begun: (await lines()).length, exitCode, failure };
  }

  it.each([
    ["was taken for dead", "dead", { notFound: true }, CancelledFailure],
    ["was paused", "paused", { paused: true }, CancelledFailure],
    ["loses its worker", "lost", { workerShutdown: true }, WorkerStopping],
  ])("and %s leaves it to the next one", async (_, purpose, details, failure) => {
    const outcome = await next(purpose, (environment) =>
      environment.cancel("NOT_FOUND", new ActivityCancellationDetails(details)),
    );
    expect(outcome).toMatchObject({ begun: 1, exitCode: 0 });
    expect(outcome.failure).toBeInstanceOf(failure);
  });

  it("leaves it to the next one when its worker begins to stop", async () => {
    const outcome = await next("draining", (_, draining) => draining.abort());
    expect(outcome).toMatchObject({ begun: 1, exitCode: 0 });
    expect(outcome.failure).toBeInstanceOf(WorkerStopping);
  });

  it("ends it when it is cancelled", async () => {
    const outcome = await next("cancelled", (environment) => environment.cancel());
    expect(outcome.failure).toBeInstanceOf(CancelledFailure);
    // It was ended, so whoever asks again runs it again.
    expect(outcome).toMatchObject({ begun: 2, exitCode: 0 });
  });
});

it("tests that were ended from outside are no evidence: the next attempt runs them in a new sandbox", async () => {
  const mark = join(root, "shot");
  const input = testsOf("shot", `[ -e ${mark} ] || { touch ${mark}; kill -9 $PPID; sleep 5; }; echo whole`);
  const parts = worker();
  const attempt = () => inActivity(() => createTests(parts).runTests(input));
  await expect(attempt()).rejects.toThrow(SandboxLost);
  expect(await opened(parts)).toEqual([]);
  expect(await attempt()).toMatchObject({ exitCode: 0 });
});

it("tests that end what runs them each time count as failed with the third, and say so", async () => {
  const log = join(root, "suicides");
  const input = testsOf("suicide", `echo begun >> ${log}; kill -9 $PPID; sleep 5`);
  // Each attempt on a worker of its own: what is counted is known to all.
  const attempt = (parts: ToolParts) => inActivity(() => createTests(parts).runTests(input));
  for (const parts of [worker(), worker()]) {
    await expect(attempt(parts)).rejects.toThrow(SandboxLost);
    expect(await opened(parts)).toEqual([]);
  }
  const parts = worker();
  const outcome = await attempt(parts);
  expect(outcome).toMatchObject({ on: "branch", exitCode: null, killedItself: true });
  expect(outcome.output).toContain("3 times, each in a new sandbox");
  expect(await opened(parts)).toEqual([]);
  expect(await attempt(worker())).toEqual(outcome);
  expect((await readFile(log, "utf8")).trim().split("\n")).toHaveLength(3);
});

it("a command whose sandbox is lost each time is given up with the third, and Claude is told", async () => {
  const workspace = { ...on.ref, purpose: "lost-each-time" };
  const key = `${on.ref.run.runKey}-lost-each-time`;
  let replies = 0;
  const parts = worker();
  // The container goes while the command runs.
  const losing = (own: ToolParts): ToolParts => ({
    ...own,
    sandboxes: {
      ...own.sandboxes,
      open: async (spec, signal) => {
        const sandbox = await own.sandboxes.open(spec, signal);
        const run: typeof sandbox.run = async (command, until) => {
          if (!command.script.includes("take it down")) return sandbox.run(command, until);
          await own.sandboxes.close(key);
          throw new SandboxLost("It is gone.");
        };
        return new Proxy(sandbox, {
          get: (of, name: keyof typeof sandbox) => {
            if (name === "run") return run;
            const value = of[name];
            return typeof value === "function" ? value.bind(of) : value;
          },
        });
      },
    },
  });
  const model: Model = {
    reply: async () => replyWith(`toolu_g${++replies}`, replies === 1 ? "echo take it down > a" : "echo fine"),
  };
  const first = await turns(parts, model)({ ...firstTurn("lost-each-time"), workspace });
  const next = {
    ...firstTurn("lost-each-time"),
    workspace,
    turn: 2,
    previous: first.key,
    said: { kind: "results" as const, calls: first.calls },
  };
  for (let attempt = 1; attempt < 3; attempt += 1)
    await expect(turns(losing(worker()), model)(next)).rejects.toThrow("It is gone.");
  const taken = await turns(losing(parts), model)(next);
  expect(JSON.stringify((await parts.conversations.turn(taken.key)).user)).toContain("Given up: 3 times the sandbox");
  const after = await turns(
    parts,
    model,
  )({
    ...next,
    turn: 3,
    previous: taken.key,
    said: { kind: "results", calls: taken.calls },
  });
  expect(JSON.stringify((await parts.conversations.turn(after.key)).user)).toContain("fine");
  expect(replies).toBe(3);
});

it("an attempt that finds the outcome of the one before closes the sandbox that it left open", async () => {
  const parts = worker();
  const killed = { ...parts.sandboxes, close: () => Promise.reject(new Error("killed")) };
  const input = testsOf("left-open", "true");
  await expect(inActivity(() => createTests({ ...parts, sandboxes: killed }).runTests(input))).rejects.toThrow(
    "killed",
  );
  expect(await opened(parts)).toEqual(["left-open"]);
  expect(await inActivity(() => createTests(parts).runTests(input))).toMatchObject({ exitCode: 0 });
  expect(await opened(parts)).toEqual([]);
});

it("Claude is told of a sandbox that was lost before anything in it was saved, and of none that is only new", async () => {
  const parts = worker();
  const workspace = { ...on.ref, purpose: "lost" };
  let asked = 0;
  const takeTurn = turns(parts, { reply: async () => replyWith(`toolu_${++asked}`) });
  let taken = await takeTurn({ ...firstTurn("lost"), workspace });
  const told: boolean[] = [];
  for (const turn of [2, 3, 4]) {
    if (turn === 3) await parts.sandboxes.close(`${on.ref.run.runKey}-lost`);
    const said = { kind: "results" as const, calls: taken.calls };
    taken = await takeTurn({ ...firstTurn("lost"), workspace, turn, previous: taken.key, said });
    const { user } = await parts.conversations.turn(taken.key);
    told.push(JSON.stringify(user).includes("The sandbox was lost and has been rebuilt"));
    expect(taken.checkpoint).toBeNull();
  }
  expect(told).toEqual([false, true, false]);
});
