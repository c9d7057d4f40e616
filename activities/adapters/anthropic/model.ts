/** Claude through the official SDK: one streamed request, no retries of its own, every failure one of our errors. */
import Anthropic from "@anthropic-ai/sdk";
import { RequestRefused, ServiceUnavailable } from "../../../domain/errors.ts";
import type { Model, ModelReply, ModelRequest } from "../../../domain/ports.ts";
import { MAX_BREAKPOINTS, countBreakpoints } from "./breakpoints.ts";
import { toModelError } from "./errors.ts";
import { ReplyFold } from "./reply.ts";
import { observed, throttled, watchIdle } from "./watch.ts";

export interface ModelOptions {
  apiKey: string;
  /** Base of the Messages API; default Anthropic's own. */
  baseUrl?: string;
  /** How long the line may be silent, pings included, before the call counts as broken. Milliseconds, default 120,000. */
  idleTimeoutMs?: number;
  fetch?: typeof globalThis.fetch;
}

/** Anthropic sends a ping at least every few tens of seconds, so two silent minutes mean a dead line. */
const IDLE_TIMEOUT_MS = 120_000;
const PROGRESS_EVERY_MS = 500;
/** The SDK's own limit covers only the wait for headers, which ours covers too: out of the way. */
const NEVER_MS = 24 * 60 * 60 * 1000;

/** Throws RateLimited, ServiceUnavailable, AccessDenied, RequestRefused, or the abort reason of the caller's signal. */
export function createModel(options: ModelOptions): Model {
  const idleTimeoutMs = options.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
  const client = createClient(options);
  const send = options.fetch ?? globalThis.fetch;

  return {
    async reply(request, { signal, onProgress }): Promise<ModelReply> {
      refuseTooManyBreakpoints(request);
      signal.throwIfAborted();
      const watch = watchIdle(idleTimeoutMs, signal);
      const progress = throttled(onProgress, PROGRESS_EVERY_MS);
      let requestBytes = 0;
      const onBytes = (): void => {
        watch.touch();
        progress();
      };
      const fetch: typeof globalThis.fetch = async (url, init) => {
        requestBytes = typeof init?.body === "string" ? Buffer.byteLength(init.body) : 0;
        const response = await send(url, init);
        onBytes();
        return observed(response, onBytes);
      };
      try {
        const stream = await client.withOptions({ fetch }).messages.create(toBody(request), { signal: watch.signal });
        const fold = new ReplyFold();
        for await (const event of stream) fold.add(event);
        // The SDK ends an aborted stream like a finished one.
        watch.signal.throwIfAborted();
        const folded = fold.finish();
        if (folded === null) throw new Error("the stream ended before the message did");
        return { ...folded, requestBytes };
      } catch (error) {
        signal.throwIfAborted();
        if (watch.idle) {
          throw new ServiceUnavailable(
            "Claude",
            `Claude sent nothing for ${idleTimeoutMs / 1000} s, so the call was given up. It is worth another try.`,
          );
        }
        throw toModelError(error, Date.now(), [options.apiKey]);
      } finally {
        watch.stop();
      }
    },
  };
}

/** A client that reads nothing from the environment, logs nothing and repeats nothing. */
export function createClient(options: ModelOptions): Anthropic {
  return new Anthropic({
    apiKey: options.apiKey,
    baseURL: options.baseUrl ?? "https://api.anthropic.com",
    maxRetries: 0,
    timeout: NEVER_MS,
    logLevel: "off",
    ...(options.fetch ? { fetch: options.fetch } : {}),
  });
}

function toBody(request: ModelRequest): Anthropic.MessageCreateParamsStreaming {
  return {
    model: request.model,
    max_tokens: request.maxTokens,
    system: request.system,
    ...(request.tools.length > 0 ? { tools: request.tools } : {}),
    ...(request.outputSchema
      ? { output_config: { format: { type: "json_schema", schema: request.outputSchema } } }
      : {}),
    messages: request.messages,
    stream: true,
  };
}

function refuseTooManyBreakpoints(request: ModelRequest): void {
  const found = countBreakpoints(request);
  if (found <= MAX_BREAKPOINTS) return;
  throw new RequestRefused(
    "Claude",
    400,
    `The request carries ${found} cache breakpoints; Claude takes at most ${MAX_BREAKPOINTS}. This is a mistake in how it was composed.`,
  );
}
