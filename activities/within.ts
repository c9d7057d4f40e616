/** Nobody waits for the memory for long. */
import { setTimeout as sleep } from "node:timers/promises";
import { ServiceUnavailable } from "../domain/errors.ts";

/** Gives up after a while, also on what does not listen to its signal. */
export async function within<T>(
  limitMs: number,
  what: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const working = work(until);
  const late = sleep(limitMs, undefined, { signal: until }).then(() => {
    throw new ServiceUnavailable("memory", `${what} did not answer within ${limitMs / 1000} s.`);
  });
  // Whoever comes second fails unheard.
  working.catch(() => undefined);
  late.catch(() => undefined);
  try {
    return await Promise.race([working, late]);
  } finally {
    over.abort();
  }
}
