/** Waiting with an end: for a signal, for a time limit, for whichever comes first. */

/** Thrown by {@link within} when the time is up. */
export class TimeUp extends Error {}

/**
 * Gives `work` a signal that fires with the caller's, or after `limitMs`, and does not wait for work that ignores it.
 * Rejects with the caller's reason, or TimeUp.
 */
export async function within<T>(
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new TimeUp(`no answer within ${limitMs / 1000} s`)), limitMs);
  const pass = () => stop.abort(signal.reason);
  signal.addEventListener("abort", pass, { once: true });
  try {
    return await untilAborted(work(stop.signal), stop.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", pass);
  }
}

/** The promise, or the signal's reason if that comes first; the promise's own end is then nobody's business any more. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let forget = () => {};
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    forget = () => signal.removeEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    forget();
  }
}

/** Never fires. */
export const never = new AbortController().signal;

/** One piece of work for all who want its result; it is aborted only when nobody waits for it any more. */
export class Shared<T> {
  readonly #stop = new AbortController();
  readonly #result: Promise<T>;
  #waiters = 0;

  get isAborted(): boolean {
    return this.#stop.signal.aborted;
  }

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#result = work(this.#stop.signal);
    // Told to those who wait; when all of them have left, to nobody.
    this.#result.catch(() => {});
  }

  async wait(signal: AbortSignal): Promise<T> {
    this.#waiters++;
    try {
      return await untilAborted(this.#result, signal);
    } finally {
      if (--this.#waiters === 0 && signal.aborted) this.#stop.abort(signal.reason);
    }
  }
}
