/** What was asked and what was paid for. With a file it outlives the process. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Reply } from "./reply.ts";

export interface LedgerEntry {
  /** ISO 8601. */
  at: string;
  /** When its first byte came and when its reply's last byte went, in milliseconds since 1970 with fractions. */
  receivedMs: number;
  endedMs: number | null;
  /** Of the request's body: equal requests have equal digests. */
  digest: string;
  /** Of the reply that was asked for (`place.ts`). */
  place: string;
  role: string | null;
  scenario: string | null;
  round: number;
  turn: number;
  model: string;
  requestBytes: number;
  stream: boolean;
  /** HTTP status of the answer. */
  status: number;
  error: string | null;
  fault: string | null;
  stopReason: string | null;
  /** null: nothing was said, so nothing is paid. */
  usage: Reply["usage"] | null;
  /** The reply was sent to its end over a connection that was still open. */
  delivered: boolean;
}

export interface LedgerTotals {
  requests: number;
  paid: number;
  delivered: number;
  /** Places in a conversation whose reply was delivered more than once: what a run must never do. */
  paidTwice: number;
  inputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  outputTokens: number;
}

export class Ledger {
  private entries: LedgerEntry[] = [];
  private readonly file: string | null;

  constructor(file: string | null) {
    this.file = file;
    if (file !== null && existsSync(file)) this.entries = readFileSync(file, "utf8").split("\n").flatMap(readLine);
  }

  /** From now on the entry is seen; it is filled in while the request is served. */
  open(entry: LedgerEntry): void {
    this.entries.push(entry);
  }

  /** The entry is complete. */
  close(entry: LedgerEntry): void {
    if (this.file !== null) appendFileSync(this.file, `${JSON.stringify(entry)}\n`);
  }

  clear(): void {
    this.entries = [];
    if (this.file !== null) writeFileSync(this.file, "");
  }

  read(): { entries: LedgerEntry[]; totals: LedgerTotals } {
    const delivered = this.entries.filter((entry) => entry.delivered);
    const times = new Map<string, number>();
    for (const { place } of delivered) times.set(place, (times.get(place) ?? 0) + 1);
    const sum = (pick: (usage: NonNullable<LedgerEntry["usage"]>) => number): number =>
      this.entries.reduce((total, { usage }) => total + (usage ? pick(usage) : 0), 0);
    const totals = {
      requests: this.entries.length,
      paid: this.entries.filter((entry) => entry.usage !== null).length,
      delivered: delivered.length,
      paidTwice: [...times.values()].filter((count) => count > 1).length,
      inputTokens: sum((usage) => usage.input_tokens),
      cacheReadTokens: sum((usage) => usage.cache_read_input_tokens),
      cacheWriteTokens: sum((usage) => usage.cache_creation_input_tokens),
      outputTokens: sum((usage) => usage.output_tokens),
    };
    return { entries: [...this.entries], totals };
  }
}

/** A last line cut off by a kill is no entry. */
function readLine(line: string): LedgerEntry[] {
  try {
    return line === "" ? [] : [JSON.parse(line) as LedgerEntry];
  } catch {
    return [];
  }
}
