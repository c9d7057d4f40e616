/** Numbers of the memory commands. */
import { UsageError } from "../errors.ts";

const MAX_LIMIT = 1_000;

export function readLimit(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new UsageError(`--limit takes a number from 1 to ${MAX_LIMIT}, not "${text.slice(0, 20)}".`, "memory");
}

export function readIssue(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new UsageError(`--issue takes an issue's number, not "${text.slice(0, 40)}".`, "memory");
}

export function readThreshold(text: string | undefined): number {
  if (text === undefined) return 0;
  const threshold = Number(text);
  if (/^\d*\.?\d+$/.test(text) && threshold <= 1) return threshold;
  throw new UsageError(`--threshold takes a number from 0 to 1, not "${text.slice(0, 20)}".`, "memory");
}
