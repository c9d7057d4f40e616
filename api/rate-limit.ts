/** A token bucket for each client: a burst, then a steady rate. */
export interface RateLimit {
  /** Takes `cost` tokens; false when there are not enough, and then takes none. */
  take(client: string, cost?: number): boolean;
  /** Seconds until one token is there again. */
  readonly retryAfterSeconds: number;
}

export interface RateLimitOptions {
  burst: number;
  perSecond: number;
  now: () => Date;
}

/** Clients that are remembered at once; the one seen longest ago makes room, with a full bucket. */
const MAX_CLIENTS = 10_000;

export function createRateLimit({ burst, perSecond, now }: RateLimitOptions): RateLimit {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    retryAfterSeconds: Math.max(1, Math.ceil(1 / perSecond)),
    take(client, cost = 1) {
      const at = now().getTime();
      const before = buckets.get(client) ?? { tokens: burst, at };
      const tokens = Math.min(burst, before.tokens + (Math.max(0, at - before.at) / 1000) * perSecond);
      const enough = tokens >= cost;
      // Written anew, so that the map stays in the order of last use.
      buckets.delete(client);
      buckets.set(client, { tokens: enough ? tokens - cost : tokens, at });
      const oldest = buckets.keys().next();
      if (buckets.size > MAX_CLIENTS && !oldest.done) buckets.delete(oldest.value);
      return enough;
    },
  };
}
