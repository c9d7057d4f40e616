/** Faults that can be asked of the played model, one by one: each is used up by the next request that it fits. */
import { z } from "zod";
import type { Reply } from "./reply.ts";
import { Refusal } from "./refusal.ts";
import type { PlayedRequest } from "./scenario.ts";

const fits = {
  /** How many requests it spoils. */
  times: z.int().positive().default(1),
  role: z.enum(["classifier", "planner", "coder", "reviewer"]).optional(),
  round: z.int().min(0).optional(),
  turn: z.int().min(0).optional(),
};
const afterEvents = z.int().min(0).default(4).describe("Events of the stream that arrive before it happens");

export const Fault = z.discriminatedUnion("kind", [
  z.strictObject({
    ...fits,
    kind: z.literal("rate-limit"),
    retryAfter: z.string().optional(),
    retryAfterMs: z.string().optional(),
  }),
  z.strictObject({ ...fits, kind: z.literal("overloaded"), retryAfter: z.string().optional() }),
  z.strictObject({
    ...fits,
    kind: z.literal("status"),
    status: z.int().min(400).max(599),
    type: z.string().default("api_error"),
    message: z.string().default("played fault"),
  }),
  z.strictObject({ ...fits, kind: z.literal("no-answer") }).describe("The connection is closed before any answer"),
  z.strictObject({ ...fits, kind: z.literal("wait"), ms: z.int().positive() }).describe("The whole reply comes later"),
  z
    .strictObject({ ...fits, kind: z.literal("drop"), afterEvents })
    .describe("The connection breaks in the middle of the stream"),
  z
    .strictObject({ ...fits, kind: z.literal("end-early"), afterEvents })
    .describe("The stream ends in good order before the message does"),
  z.strictObject({
    ...fits,
    kind: z.literal("stall"),
    afterEvents,
    ms: z.int().positive().default(3_600_000),
    pings: z.boolean().default(false),
  }),
  z.strictObject({
    ...fits,
    kind: z.literal("error-event"),
    afterEvents,
    type: z.string().default("overloaded_error"),
    message: z.string().default("Overloaded"),
  }),
  z.strictObject({ ...fits, kind: z.literal("max-tokens") }).describe("Cut off in the middle of its last block"),
  z
    .strictObject({
      ...fits,
      kind: z.literal("stop"),
      reason: z.enum(["refusal", "pause_turn", "model_context_window_exceeded", "end_turn"]),
    })
    .describe("Ends so, with nothing said"),
  z
    .strictObject({ ...fits, kind: z.literal("say"), text: z.string() })
    .describe("Says this instead, and uses no tool: wrong JSON, for instance"),
  z
    .strictObject({ ...fits, kind: z.literal("use"), name: z.string(), input: z.record(z.string(), z.unknown()) })
    .describe("Uses this tool instead"),
]);
export type Fault = z.infer<typeof Fault>;

export class Faults {
  private waiting: Fault[] = [];

  add(fault: z.input<typeof Fault>): void {
    this.waiting.push(Fault.parse(fault));
  }

  list(): Fault[] {
    return [...this.waiting];
  }

  clear(): void {
    this.waiting = [];
  }

  /** The fault for this request, used up. */
  take(request: PlayedRequest): Fault | null {
    const fault = this.waiting.find(
      (one) =>
        (one.role ?? request.role) === request.role &&
        (one.round ?? request.round) === request.round &&
        (one.turn ?? request.turn) === request.turn,
    );
    if (!fault) return null;
    fault.times--;
    if (fault.times <= 0) this.waiting = this.waiting.filter((one) => one !== fault);
    return { ...fault };
  }
}

/** Faults that are an HTTP status of their own. */
export function refusalOf(fault: Fault | null): Refusal | null {
  switch (fault?.kind) {
    case "rate-limit":
      return new Refusal(429, "rate_limit_error", "This request would exceed your organization's rate limit", {
        ...(fault.retryAfter ? { "retry-after": fault.retryAfter } : {}),
        ...(fault.retryAfterMs ? { "retry-after-ms": fault.retryAfterMs } : {}),
      });
    case "overloaded":
      return new Refusal(
        529,
        "overloaded_error",
        "Overloaded",
        fault.retryAfter ? { "retry-after": fault.retryAfter } : {},
      );
    case "status":
      return new Refusal(fault.status, fault.type, fault.message);
    default:
      return null;
  }
}

/** Faults that are another message than the script's. */
export function spoilReply(reply: Reply, fault: Fault | null): Reply {
  switch (fault?.kind) {
    case "max-tokens":
      return {
        ...reply,
        stopReason: "max_tokens",
        content: reply.content.map((block, index) => (index === reply.content.length - 1 ? cutBlock(block) : block)),
      };
    case "stop":
      return { ...reply, stopReason: fault.reason, content: [] };
    case "say":
      return {
        ...reply,
        stopReason: "end_turn",
        content: fault.text === "" ? [] : [{ type: "text", text: fault.text }],
      };
    case "use":
      return {
        ...reply,
        stopReason: "tool_use",
        content: [
          { type: "tool_use", id: `${reply.id.replace("msg_", "toolu_")}`, name: fault.name, input: fault.input },
        ],
      };
    default:
      return reply;
  }
}

function cutBlock(block: Reply["content"][number]): Reply["content"][number] {
  if (block.type === "text") return { type: "text", text: block.text.slice(0, Math.ceil(block.text.length / 2)) };
  return { ...block, cutAt: Math.ceil(JSON.stringify(block.input).length / 2) };
}
