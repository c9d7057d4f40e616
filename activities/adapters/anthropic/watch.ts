/** Sees every byte of a streamed answer: for the idle time limit, which the SDK does not have, and for progress. */

export interface Watch {
  readonly signal: AbortSignal;
  /** Something moved on the line. */
  touch(): void;
  /** True when the time limit, and not the caller, ended the request. */
  readonly idle: boolean;
  stop(): void;
}

/** Aborts its signal after `idleTimeoutMs` without a {@link Watch.touch}, or when the caller's signal aborts. */
export function watchIdle(idleTimeoutMs: number, caller: AbortSignal): Watch {
  const controller = new AbortController();
  let idle = false;
  const timer = setTimeout(() => {
    idle = true;
    controller.abort(new Error(`no byte for ${idleTimeoutMs} ms`));
  }, idleTimeoutMs);
  const onAbort = (): void => controller.abort(caller.reason);
  caller.addEventListener("abort", onAbort, { once: true });
  if (caller.aborted) onAbort();
  return {
    signal: controller.signal,
    touch: () => void timer.refresh(),
    get idle() {
      return idle;
    },
    stop: () => {
      clearTimeout(timer);
      caller.removeEventListener("abort", onAbort);
    },
  };
}

/** `onProgress`, at once and then at most every `everyMs`: heartbeats need no more, and a stream has thousands of events. */
export function throttled(onProgress: () => void, everyMs: number): () => void {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - last < everyMs) return;
    last = now;
    onProgress();
  };
}

/** The same response, with `onBytes` called for each piece of its body as it is read. */
export function observed(response: Response, onBytes: () => void): Response {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        onBytes();
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Nothing is read ahead: a byte counts when somebody waits for it.
    { highWaterMark: 0 },
  );
  return new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers });
}
