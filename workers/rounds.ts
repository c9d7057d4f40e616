/** Work that a worker does at its start, and then again and again until it stops. */
import type { Log } from "./log.ts";

export interface Rounds {
  work: (signal: AbortSignal) => Promise<unknown>;
  /** From the end of a round to the begin of the next; 0: there is only one. */
  everyMs: number;
  log: Log;
  /** What a round that failed is told as. */
  failed: string;
}

/** Node takes a longer timer for one of a millisecond. A round that comes after 24 days does no harm. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Begins at once. Returns how to stop it, also in the middle of a round. */
export function startRounds({ work, everyMs, log, failed }: Rounds): () => void {
  const stopped = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const round = async (): Promise<void> => {
    await work(stopped.signal).catch((error: unknown) => {
      if (!stopped.signal.aborted) log.warn({ err: error }, failed);
    });
    if (stopped.signal.aborted || everyMs === 0) return;
    timer = setTimeout(() => void round(), Math.min(everyMs, MAX_TIMER_MS));
    timer.unref();
  };
  void round();
  return () => {
    stopped.abort();
    clearTimeout(timer);
  };
}
