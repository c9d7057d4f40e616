/** Reads the payload of a message that anybody with the Temporal CLI may have typed. Never throws. */
import { headOf } from "../domain/text.ts";
import type { MessageName, Messages } from "./messages.ts";

export type Parsed<T> = { ok: true; value: T } | { ok: false; by: string | null; reason: string };

const MAX_TEXT = 10_000;

/** The payload of a message, or what is wrong with it and how it should look. */
export function parseMessage<Name extends MessageName>(name: Name, payload: unknown): Parsed<Messages[Name]> {
  const parser: (fields: Fields) => Parsed<Messages[MessageName]> = parsers[name];
  return parser(new Fields(payload)) as Parsed<Messages[Name]>;
}

const parsers: { [Name in MessageName]: (fields: Fields) => Parsed<Messages[Name]> } = {
  approveMerge: (fields) => {
    const by = fields.login();
    const sha = fields.optionalSha();
    return fields.done('{"by": LOGIN, "sha"?: HEAD_COMMIT}', () => (sha === undefined ? { by } : { by, sha }));
  },
  approvePlan: (fields) => {
    const by = fields.login();
    return fields.done('{"by": LOGIN}', () => ({ by }));
  },
  requestChanges: (fields) => {
    const by = fields.login();
    const text = fields.text("text");
    return fields.done('{"by": LOGIN, "text": WHAT_TO_CHANGE}', () => ({ by, text }));
  },
  reject: (fields) => {
    const by = fields.login();
    const reason = fields.text("reason");
    return fields.done('{"by": LOGIN, "reason": WHY}', () => ({ by, reason }));
  },
  answer: (fields) => {
    const by = fields.login();
    const text = fields.text("text");
    return fields.done('{"by": LOGIN, "text": ANSWER}', () => ({ by, text }));
  },
  pause: (fields) => optionalBy(fields),
  resume: (fields) => optionalBy(fields),
  raiseBudget: (fields) => {
    const by = fields.login();
    const usd = fields.positive("usd");
    return fields.done('{"by": LOGIN, "usd": NEW_BUDGET_OF_THE_RUN}', () => ({ by, usd }));
  },
};

function optionalBy(fields: Fields): Parsed<{ by?: string }> {
  if (fields.absent("by")) return { ok: true, value: {} };
  const by = fields.login();
  return fields.done('{"by"?: LOGIN}', () => ({ by }));
}

const LOGIN = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?(?:\[bot\])?$/;
const SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;

/** Collects what is wrong, so that one answer names all of it. */
class Fields {
  readonly #record: Record<string, unknown>;
  readonly #problems: string[] = [];

  constructor(payload: unknown) {
    const isRecord = typeof payload === "object" && payload !== null && !Array.isArray(payload);
    this.#record = isRecord ? (payload as Record<string, unknown>) : {};
    if (!isRecord && payload !== undefined && payload !== null) this.#problems.push("the input is not a JSON object");
  }

  absent(name: string): boolean {
    const value = this.#value(name);
    return value === undefined || value === null;
  }

  login(): string {
    const value = this.#value("by");
    if (typeof value === "string" && LOGIN.test(value)) return value;
    this.#problems.push(value === undefined ? "`by` is missing" : "`by` is not a GitHub login");
    return "";
  }

  optionalSha(): string | undefined {
    if (this.absent("sha")) return undefined;
    const value = this.#value("sha");
    if (typeof value === "string" && SHA.test(value)) return value.toLowerCase();
    this.#problems.push("`sha` is not a full commit id");
    return undefined;
  }

  text(name: string): string {
    const value = this.#value(name);
    if (typeof value === "string" && value.trim() !== "") return headOf(value, MAX_TEXT);
    this.#problems.push(value === undefined ? `\`${name}\` is missing` : `\`${name}\` is not a text`);
    return "";
  }

  positive(name: string): number {
    const value = this.#value(name);
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    this.#problems.push(`\`${name}\` is not a positive number`);
    return 0;
  }

  done<T>(shape: string, make: () => T): Parsed<T> {
    if (this.#problems.length === 0) return { ok: true, value: make() };
    const by = this.#value("by");
    const reason = `${this.#problems.join("; ")}. Send ${shape}`;
    return { ok: false, by: typeof by === "string" ? headOf(by, 100) : null, reason };
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#record, name) ? this.#record[name] : undefined;
  }
}
