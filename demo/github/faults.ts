/** Faults on order: the answers that GitHub gives on a bad day, before or after the effect. */
import { setTimeout as delay } from "node:timers/promises";
import type { Answer } from "./http.ts";

export interface FaultOrder {
  /** Any method when absent. */
  method?: string;
  /** Regular expression over the path with its query, without a prefix such as `/api/v3`. */
  path: string;
  /** How many requests it strikes. Default 1. */
  times?: number;
  /** How many matching requests pass first. Default 0. */
  skip?: number;
  /** `before`: nothing happens but the fault. `after`: the effect happens, only its answer is lost. Default `before`. */
  when?: "before" | "after";
  status?: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON, a string as it is. */
  body?: unknown;
  delayMs?: number;
  /** Breaks the connection instead of answering. */
  drop?: boolean;
}

export interface Fault extends FaultOrder {
  id: number;
  left: number;
  toSkip: number;
  struck: number;
}

export interface Faults {
  add(order: FaultOrder): Fault;
  list(): Fault[];
  clear(): void;
  /** The fault that strikes this request, counted; null when none does. */
  strike(method: string, path: string): Fault | null;
}

export function createFaults(): Faults {
  let faults: Fault[] = [];
  let nextId = 1;
  return {
    add(order) {
      // A bad expression is told to who ordered it, not to the next request.
      new RegExp(order.path);
      const fault = { ...order, id: nextId++, left: order.times ?? 1, toSkip: order.skip ?? 0, struck: 0 };
      faults.push(fault);
      return fault;
    },
    list: () => faults,
    clear: () => (faults = []),
    strike(method, path) {
      for (const fault of faults) {
        if (fault.left <= 0) continue;
        if (fault.method !== undefined && fault.method.toUpperCase() !== method) continue;
        if (!new RegExp(fault.path).test(path)) continue;
        if (fault.toSkip > 0) {
          fault.toSkip--;
          continue;
        }
        fault.left--;
        fault.struck++;
        return fault;
      }
      return null;
    },
  };
}

/** Waits as ordered, then tells what to send: an answer, a broken connection, or (a mere delay) the true answer. */
export async function suffer(fault: Fault): Promise<Answer | "drop" | null> {
  if (fault.delayMs) await delay(fault.delayMs);
  if (fault.drop) return "drop";
  if (fault.status === undefined) return null;
  const body = fault.body ?? (fault.status >= 400 ? { message: `Played fault ${fault.status}` } : undefined);
  return { status: fault.status, body, ...(fault.headers && { headers: fault.headers }) };
}
