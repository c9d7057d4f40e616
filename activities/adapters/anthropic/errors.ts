/** From whatever the SDK throws to our own errors: one table by status and kind, and what `retry-after` says. */
import { APIConnectionError, APIError } from "@anthropic-ai/sdk";
import {
  AccessDenied,
  type MergewrightError,
  RateLimited,
  RequestRefused,
  ServiceUnavailable,
} from "../../../domain/errors.ts";

const SERVICE = "Claude";

export type ModelFault = "rate-limited" | "unavailable" | "denied" | "refused";

/**
 * Makes the error that a caller sees. Pure: `now` (ms since the epoch) turns a `retry-after` date into a duration, and
 * `secrets` are blanked wherever the service or a proxy echoes them.
 */
export function toModelError(error: unknown, now: number, secrets: readonly string[] = []): MergewrightError {
  const clean = (text: string): string => blank(text, secrets);
  const cause = { cause: new Error(clean(nameAndMessage(error))) };
  if (!(error instanceof APIError) || error instanceof APIConnectionError) {
    return new ServiceUnavailable(
      SERVICE,
      clean(`Claude could not be reached, or the connection broke: ${rootMessage(error)}`),
      cause,
    );
  }
  const status = error.status ?? null;
  const type = error.type ?? null;
  const retryAfterMs = readRetryAfter(error.headers, now);
  const said = clean(`${status ?? "stream error"}${type ? ` ${type}` : ""}: ${error.apiMessage ?? error.message}`);
  switch (faultOf(status, type)) {
    case "rate-limited":
      return new RateLimited(SERVICE, retryAfterMs, `Claude asks to come back later (${said})`, cause);
    case "unavailable":
      return new ServiceUnavailable(SERVICE, `Claude failed on its side (${said})`, { ...cause, retryAfterMs });
    case "denied":
      return new AccessDenied(
        SERVICE,
        `Claude refused the API key (${said}). Check ANTHROPIC_API_KEY, its workspace and its credit.`,
        cause,
      );
    case "refused":
      return new RequestRefused(SERVICE, status ?? statusOfType(type), `Claude refused the request (${said})`, cause);
  }
}

/** What kind of fault a status (null inside a stream) and Anthropic's error type are. Type wins where it is more exact. */
export function faultOf(status: number | null, type: string | null): ModelFault {
  if (type === "rate_limit_error") return "rate-limited";
  if (status === null) return TYPE_FAULTS[type ?? ""] ?? "unavailable";
  return STATUS_FAULTS[status] ?? (status >= 500 || status < 400 ? "unavailable" : "refused");
}

const STATUS_FAULTS: Readonly<Record<number, ModelFault>> = {
  401: "denied",
  402: "denied",
  403: "denied",
  408: "unavailable",
  429: "rate-limited",
};

const TYPE_FAULTS: Readonly<Record<string, ModelFault>> = {
  authentication_error: "denied",
  billing_error: "denied",
  permission_error: "denied",
  invalid_request_error: "refused",
  not_found_error: "refused",
  request_too_large: "refused",
  overloaded_error: "unavailable",
  timeout_error: "unavailable",
  api_error: "unavailable",
};

/** Milliseconds from `retry-after-ms`, or `retry-after` in seconds or as an HTTP date; null when nothing usable is said. */
export function readRetryAfter(headers: Headers | undefined, now: number): number | null {
  const exact = Number.parseFloat(headers?.get("retry-after-ms") ?? "");
  if (Number.isFinite(exact) && exact >= 0) return Math.ceil(exact);
  const text = headers?.get("retry-after")?.trim();
  if (!text) return null;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  // "-5" is a date to Date.parse.
  const date = /[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function statusOfType(type: string | null): number {
  if (type === "not_found_error") return 404;
  return type === "request_too_large" ? 413 : 400;
}

function nameAndMessage(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** The innermost message says most: "fetch failed" hides "connect ECONNREFUSED". */
function rootMessage(error: unknown): string {
  let inner: unknown = error;
  for (let depth = 0; depth < 5 && inner instanceof Error && inner.cause instanceof Error; depth++) inner = inner.cause;
  if (!(inner instanceof Error)) return String(inner);
  const code =
    "code" in inner && typeof inner.code === "string" && !inner.message.includes(inner.code) ? ` (${inner.code})` : "";
  return `${inner.message || inner.name}${code}`;
}

function blank(text: string, secrets: readonly string[]): string {
  return secrets.reduce((clean, secret) => (secret.length < 6 ? clean : clean.replaceAll(secret, "[secret]")), text);
}
