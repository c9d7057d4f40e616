/** What was done here: each effect for good, each request while the process lives. */
import type { Store } from "./store.ts";

export interface Effect {
  at: string;
  actor: string | null;
  method: string;
  /** GitHub's path template, or `git push`, or the GraphQL mutation. */
  route: string;
  path: string;
  status: number;
  /** For a push: `{ref, before, after}`. */
  facts?: object;
}

export interface RequestRecord {
  at: string;
  actor: string | null;
  method: string;
  path: string;
  /** As sent; null while it waits, and when the connection was broken. */
  status: number | null;
}

export interface Ledger {
  effect(effect: Omit<Effect, "at">): void;
  /** Noted when it comes in; who asked and what was answered is added later. */
  request(method: string, path: string): RequestRecord;
  effects(): Effect[];
  requests(): RequestRecord[];
}

const MAX_REQUESTS = 10_000;

export function createLedger(store: Store): Ledger {
  const requests: RequestRecord[] = [];
  return {
    effect: (effect) => store.append("ledger", { at: new Date().toISOString(), ...effect }),
    request(method, path) {
      const record = { at: new Date().toISOString(), actor: null, method, path, status: null };
      requests.push(record);
      if (requests.length > MAX_REQUESTS) requests.shift();
      return record;
    },
    effects: () => store.read<Effect>("ledger"),
    requests: () => requests,
  };
}
