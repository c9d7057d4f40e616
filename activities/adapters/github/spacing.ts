/**
 * Keeps the writes of one tenant apart. Octokit's throttling plugin takes its queues from outside, but has their
 * spacing built in (1 s, and 3 s for what notifies people); this is the same queue with the spacing as a number.
 */

/** What the plugin asks of a queue: `group.key(tenant).schedule(options, job, ...arguments)`. */
export interface Spacing {
  key(id: string): {
    schedule(options: object, job: (...rest: unknown[]) => unknown, ...rest: unknown[]): Promise<unknown>;
  };
}

const groups = new Map<number, Spacing>();

/** One group for each spacing in this process, so that two clients of a tenant share its queue. */
export function spacing(minTimeMs: number): Spacing {
  const known = groups.get(minTimeMs);
  if (known) return known;
  const nextAt = new Map<string, number>();
  const group: Spacing = {
    key: (id) => ({
      async schedule(_options, job, ...rest) {
        const now = Date.now();
        const at = Math.max(now, nextAt.get(id) ?? 0);
        nextAt.set(id, at + minTimeMs);
        if (at > now) await new Promise((resolve) => setTimeout(resolve, at - now));
        return job(...rest);
      },
    }),
  };
  groups.set(minTimeMs, group);
  return group;
}
