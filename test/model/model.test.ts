/** The adapter with the real SDK over real HTTP, against the played Messages API. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { checkModel } from "../../activities/adapters/anthropic/check.ts";
import { createModel } from "../../activities/adapters/anthropic/model.ts";
import { type Segment, toolResult } from "../../agents/conversation.ts";
import {
  AccessDenied,
  MergewrightError,
  RateLimited,
  RequestRefused,
  ServiceUnavailable,
} from "../../domain/errors.ts";
import type { Model, ModelReply } from "../../domain/ports.ts";
import { type PlayedModel, startModel } from "../../demo/model/server.ts";
import { classification, KEY, options, plan, request, say, scenario } from "./support.ts";

let played: PlayedModel;
let model: Model;
beforeAll(async () => {
  played = await startModel({ scenarios: [scenario], apiKey: KEY });
  model = createModel({ apiKey: KEY, baseUrl: played.url, idleTimeoutMs: 400 });
});
afterAll(() => played.close());
afterEach(() => {
  played.faults.clear();
  played.ledger.clear();
});

async function failure(promise: Promise<unknown>): Promise<MergewrightError> {
  const error: unknown = await promise.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MergewrightError);
  return error as MergewrightError;
}

describe("Claude's reply", () => {
  it("comes with content, stop reason, usage and the bytes of the request", async () => {
    const reply = await model.reply(request("coder"), options());
    expect(reply.stopReason).toBe("tool_use");
    expect(reply.content.map((block) => block.type)).toEqual(["text", "tool_use", "tool_use"]);
    expect(reply.content[0]).toMatchObject({ text: "I look first. Ü😀" });
    expect(reply.content[1]).toMatchObject({ name: "bash", input: { command: "ls" } });
    expect(reply.requestBytes).toBe(played.ledger.read().entries[0]?.requestBytes);
    expect(reply.usage.outputTokens).toBeGreaterThan(0);
    expect(reply.model).toBe("claude-sonnet-5-5");
  });

  it("is the document that a role must return", async () => {
    const reply = await model.reply(request("classifier"), options());
    expect(reply.stopReason).toBe("end_turn");
    expect(JSON.parse((reply.content[0] as { text: string }).text)).toEqual(classification);
  });

  it("can be sent back as it came, turn by turn, and each turn reads all earlier ones from the cache", async () => {
    const segments: Segment[] = [say(`# Brief: start\n\nSimple\n${"context ".repeat(2000)}`)];
    const replies: ModelReply[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const reply = await model.reply(request("coder", segments), options());
      replies.push(reply);
      segments.push({ role: "assistant", content: reply.content });
      const results = reply.content.flatMap((block) =>
        block.type === "tool_use" ? [toolResult(block.id, `output ${"x".repeat(4000)}`, false)] : [],
      );
      if (results.length > 0) segments.push({ role: "user", content: results });
    }
    expect(replies.at(-1)?.stopReason).toBe("end_turn");
    const [first, second, third] = replies.map((reply) => reply.usage);
    expect(first?.inputTokens).toBe(0);
    expect(second?.cacheReadTokens).toBe(first!.cacheReadTokens + first!.cacheWriteTokens);
    expect(third?.cacheReadTokens).toBe(second!.cacheReadTokens + second!.cacheWriteTokens);
    expect(third?.inputTokens).toBe(0);
  });

  it("tells of progress while it comes", async () => {
    let seen = 0;
    await model.reply(
      request("coder"),
      options(undefined, () => void seen++),
    );
    expect(seen).toBeGreaterThan(0);
  });

  it("is repeated word for word for the same request", async () => {
    const [one, two] = await Promise.all([
      model.reply(request("planner"), options()),
      model.reply(request("planner"), options()),
    ]);
    expect(two.content).toEqual(one.content);
    expect(played.ledger.read().totals.paidTwice).toBe(1);
  });

  it("counts as paid twice at the same place of a conversation, though the last message is another", async () => {
    const before = played.ledger.read().totals.paidTwice;
    const said: Segment = { role: "assistant", content: [{ type: "text", text: "I look." }] };
    const past = [say("# Brief: start\n\nSimple, and again"), said];
    await model.reply(request("coder", [...past, say("It is 10:00.")]), options());
    expect(played.ledger.read().totals.paidTwice).toBe(before);
    await model.reply(request("coder", [...past, say("It is 10:01.")]), options());
    expect(played.ledger.read().totals.paidTwice).toBe(before + 1);
    await model.reply(request("coder", [...past, say("It is 10:01."), said, say("Go on.")]), options());
    expect(played.ledger.read().totals.paidTwice).toBe(before + 1);
  });
});

describe("a fault of the model", () => {
  it("429 with retry-after in seconds is RateLimited with that time, after one request", async () => {
    played.faults.add({ kind: "rate-limit", retryAfter: "2" });
    const error = await failure(model.reply(request("coder"), options()));
    expect(error).toBeInstanceOf(RateLimited);
    expect((error as RateLimited).retryAfterMs).toBe(2000);
    expect(played.ledger.read().totals.requests).toBe(1);
  });

  it("429 with a date or with milliseconds is understood too", async () => {
    played.faults.add({ kind: "rate-limit", retryAfter: new Date(Date.now() + 30_000).toUTCString() });
    const dated = (await failure(model.reply(request("coder"), options()))) as RateLimited;
    expect(dated.retryAfterMs).toBeGreaterThan(25_000);
    expect(dated.retryAfterMs).toBeLessThanOrEqual(30_000);
    played.faults.add({ kind: "rate-limit", retryAfter: "9", retryAfterMs: "1500" });
    expect(((await failure(model.reply(request("coder"), options()))) as RateLimited).retryAfterMs).toBe(1500);
  });

  it("529 twice is ServiceUnavailable twice, then fine", async () => {
    played.faults.add({ kind: "overloaded", times: 2 });
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(await failure(model.reply(request("coder"), options()))).toBeInstanceOf(ServiceUnavailable);
    }
    expect((await model.reply(request("coder"), options())).stopReason).toBe("tool_use");
  });

  it.each([500, 502, 503, 504, 408])("%d is ServiceUnavailable, after one request", async (status) => {
    played.faults.add({ kind: "status", status });
    expect(await failure(model.reply(request("coder"), options()))).toBeInstanceOf(ServiceUnavailable);
    expect(played.ledger.read().totals.requests).toBe(1);
  });

  it.each([
    [400, "invalid_request_error", RequestRefused],
    [404, "not_found_error", RequestRefused],
    [413, "request_too_large", RequestRefused],
    [422, "invalid_request_error", RequestRefused],
    [401, "authentication_error", AccessDenied],
    [402, "billing_error", AccessDenied],
    [403, "permission_error", AccessDenied],
  ])("%d %s is not worth a retry", async (status, type, expected) => {
    played.faults.add({ kind: "status", status, type, message: "for a reason" });
    const error = await failure(model.reply(request("coder"), options()));
    expect(error).toBeInstanceOf(expected);
    expect(error.message).toContain("for a reason");
  });

  it("a connection that breaks in the middle of the stream is ServiceUnavailable", async () => {
    for (const afterEvents of [0, 1, 3, 6]) {
      played.faults.add({ kind: "drop", afterEvents });
      expect(await failure(model.reply(request("coder"), options()))).toBeInstanceOf(ServiceUnavailable);
    }
    expect(played.ledger.read().totals.delivered).toBe(0);
  });

  it("a connection closed before any answer is ServiceUnavailable", async () => {
    played.faults.add({ kind: "no-answer" });
    expect(await failure(model.reply(request("coder"), options()))).toBeInstanceOf(ServiceUnavailable);
  });

  it("a stream that ends in good order before its message does is ServiceUnavailable", async () => {
    for (const afterEvents of [0, 5]) {
      played.faults.add({ kind: "end-early", afterEvents });
      expect(await failure(model.reply(request("coder"), options()))).toBeInstanceOf(ServiceUnavailable);
    }
  });

  it("an error event inside the stream is ServiceUnavailable, whether overloaded or another", async () => {
    played.faults.add({ kind: "error-event" });
    expect(await failure(model.reply(request("coder"), options()))).toBeInstanceOf(ServiceUnavailable);
    played.faults.add({ kind: "error-event", type: "api_error", message: "Internal server error" });
    expect(await failure(model.reply(request("coder"), options()))).toBeInstanceOf(ServiceUnavailable);
  });

  it("a stream that stalls is given up after the idle time", async () => {
    for (const afterEvents of [0, 4]) {
      played.faults.add({ kind: "stall", afterEvents });
      const started = performance.now();
      const error = await failure(model.reply(request("coder"), options()));
      expect(error).toBeInstanceOf(ServiceUnavailable);
      expect(error.message).toContain("nothing for 0.4 s");
      expect(performance.now() - started).toBeGreaterThan(350);
    }
  });

  it("pings keep a slow stream alive", async () => {
    played.faults.add({ kind: "stall", ms: 1200, pings: true });
    const started = performance.now();
    const error = await failure(model.reply(request("coder"), options()));
    expect(performance.now() - started).toBeGreaterThan(1100);
    expect(error.message).not.toContain("nothing for");
  });

  it("an answer cut off inside a tool call keeps the call answerable", async () => {
    played.faults.add({ kind: "max-tokens" });
    const reply = await model.reply(request("coder"), options());
    expect(reply.stopReason).toBe("max_tokens");
    expect(reply.content[1]).toMatchObject({ type: "tool_use", input: { command: "ls" } });
    expect(reply.content[2]).toMatchObject({ type: "tool_use", input: { INVALID_JSON: '{"command":' } });
    const answered: Segment[] = [
      say("# Brief: start\n\nSimple"),
      { role: "assistant", content: reply.content },
      {
        role: "user",
        content: reply.content.flatMap((block) =>
          block.type === "tool_use" ? [toolResult(block.id, "cut off", true)] : [],
        ),
      },
    ];
    expect((await model.reply(request("coder", answered), options())).stopReason).toBe("tool_use");
  });

  it.each(["refusal", "pause_turn", "model_context_window_exceeded"] as const)(
    "%s comes through as its stop reason",
    async (reason) => {
      played.faults.add({ kind: "stop", reason });
      const reply = await model.reply(request("coder"), options());
      expect(reply).toMatchObject({ stopReason: reason, content: [] });
    },
  );

  it("nobody listening is ServiceUnavailable and says so", async () => {
    const dead = createModel({ apiKey: KEY, baseUrl: "http://127.0.0.1:1" });
    const error = await failure(dead.reply(request("coder"), options()));
    expect(error).toBeInstanceOf(ServiceUnavailable);
    expect(error.message).toMatch(/ECONNREFUSED|bad port/);
  });

  it("an answer that is no stream is ServiceUnavailable", async () => {
    const page: Server = createServer((_, response) => response.end("<html>captive portal</html>"));
    await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
    expect(await failure(createModel({ apiKey: KEY, baseUrl: url }).reply(request("coder"), options()))).toBeInstanceOf(
      ServiceUnavailable,
    );
    await new Promise((resolve) => page.close(resolve));
  });
});

describe("stopping", () => {
  it("an abort ends the call at once with the caller's reason", async () => {
    played.faults.add({ kind: "stall" });
    const controller = new AbortController();
    const reason = new Error("cancelled by a human");
    setTimeout(() => controller.abort(reason), 50);
    const started = performance.now();
    await expect(model.reply(request("coder"), options(controller.signal))).rejects.toBe(reason);
    expect(performance.now() - started).toBeLessThan(350);
  });

  it("an abort beforehand sends nothing", async () => {
    await expect(model.reply(request("coder"), options(AbortSignal.abort(new Error("no"))))).rejects.toThrow("no");
    expect(played.ledger.read().totals.requests).toBe(0);
  });
});

describe("the key", () => {
  it("is in no error, even when the service echoes it", async () => {
    played.faults.add({ kind: "status", status: 401, type: "authentication_error", message: `invalid key ${KEY}` });
    const error = await failure(model.reply(request("coder"), options()));
    expect(
      JSON.stringify([
        error.message,
        error.stack,
        String(error.cause),
        (error.cause as Error).stack,
        Object.entries(error),
      ]),
    ).not.toContain(KEY);
    expect(error.message).toContain("[secret]");
  });

  it("a wrong one is AccessDenied and says what to do", async () => {
    const error = await failure(
      createModel({ apiKey: "sk-ant-wrong-key", baseUrl: played.url }).reply(request("coder"), options()),
    );
    expect(error).toBeInstanceOf(AccessDenied);
    expect(error.message).toContain("ANTHROPIC_API_KEY");
    expect(error.message).not.toContain("sk-ant-wrong-key");
  });
});

describe("breakpoints", () => {
  it("more than four are refused before anything is sent", async () => {
    const tooMany = request("coder");
    tooMany.messages = Array.from({ length: 5 }, () => ({
      role: "user" as const,
      content: [{ type: "text" as const, text: "x", cache_control: { type: "ephemeral" as const } }],
    }));
    expect(await failure(model.reply(tooMany, options()))).toBeInstanceOf(RequestRefused);
    expect(played.ledger.read().totals.requests).toBe(0);
  });
});

describe("the doctor's question", () => {
  it("is answered for each model, with the way to mend it", async () => {
    const checks = await checkModel({
      apiKey: KEY,
      baseUrl: played.url,
      models: ["claude-opus-5-5", "claude-typo", "claude-opus-5-5"],
    });
    expect(checks).toEqual([
      { model: "claude-opus-5-5", ok: true },
      {
        model: "claude-typo",
        ok: false,
        reason: expect.stringContaining("404") as string,
        mend: expect.stringContaining("mergewright.yaml") as string,
      },
    ]);
  });

  it("tells a wrong key from a dead line", async () => {
    const [denied] = await checkModel({ apiKey: "sk-ant-wrong-key", baseUrl: played.url, models: ["claude-opus-5-5"] });
    expect(denied).toMatchObject({ ok: false, mend: expect.stringContaining("ANTHROPIC_API_KEY") as string });
    const [dead] = await checkModel({ apiKey: KEY, baseUrl: "http://127.0.0.1:1", models: ["claude-opus-5-5"] });
    expect(dead).toMatchObject({ ok: false, mend: expect.stringContaining("network") as string });
  });
});

it("the plan of the played planner is what the schema asks for", async () => {
  const reply = await model.reply(
    request("planner", [
      say("# Brief: plan\n\nSimple"),
      { role: "assistant", content: [{ type: "text", text: "..." }] },
      say("go on"),
    ]),
    options(),
  );
  expect(JSON.parse((reply.content[0] as { text: string }).text)).toEqual(plan);
});
