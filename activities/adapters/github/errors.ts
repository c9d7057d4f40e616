/** GitHub's refusals in our words: a status, some headers and a message become one error class. */
import {
  AccessDenied,
  type MergewrightError,
  NotFound,
  RateLimited,
  RequestRefused,
  ServiceUnavailable,
} from "../../../domain/errors.ts";

export interface Failure {
  /** null: no answer came (time limit, broken connection, unreadable answer). */
  status: number | null;
  /** GitHub's own words, with the details of a 422. */
  message: string;
  /** Lower-case names. */
  headers: Readonly<Record<string, string | number | undefined>>;
  /** `type` of the first GraphQL error, when the answer was a 200 with errors. */
  graphqlType?: string;
}

export interface Circumstances {
  /** What was being done, to complete "GitHub refused to ...": `comment on acme/widget#7`. */
  action: string;
  /** Our clock, in milliseconds since the epoch; used where the answer carries no date. */
  now: number;
  /** 0 to 1: spreads the runs that wait for the same reset. */
  jitter: number;
  cause?: unknown;
}

const SERVICE = "GitHub";
const MAX_JITTER_MS = 5_000;

/** @see https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit */
export function toError(failure: Failure, circumstances: Circumstances): MergewrightError {
  const { status, message } = failure;
  const { action } = circumstances;
  const options = circumstances.cause === undefined ? {} : { cause: circumstances.cause };
  const refused = `GitHub refused to ${action} (${failure.graphqlType ?? status}): ${message}`;

  const limit = limitOf(failure, circumstances);
  if (limit !== null) {
    const { waitMs } = limit;
    const asked = waitMs === null ? "GitHub asks to wait" : `GitHub asks to wait ${Math.ceil(waitMs / 1000)} s`;
    return new RateLimited(SERVICE, waitMs, `${asked} before we ${action}: ${message}`, options);
  }
  if (status === null) {
    return new ServiceUnavailable(SERVICE, `No answer from GitHub when we tried to ${action}: ${message}`, options);
  }
  if (failure.graphqlType !== undefined) return graphqlError(failure.graphqlType, refused, circumstances, options);
  if (status >= 500 || status === 408) {
    const later = { ...options, retryAfterMs: retryAfter(failure, circumstances) };
    return new ServiceUnavailable(SERVICE, `GitHub failed when we tried to ${action} (${status}): ${message}`, later);
  }
  switch (status) {
    case 401:
      return new AccessDenied(SERVICE, `${refused}. Is the token or App key still valid?`, options);
    case 403:
      return new AccessDenied(SERVICE, `${refused}. ${permissionHint(message)}`, options);
    case 451:
      return new AccessDenied(SERVICE, `${refused}. The repository is blocked for legal reasons.`, options);
    case 404:
      return new NotFound(action, `${refused}. It does not exist, or the token may not see it.`, options);
    case 410:
      return new NotFound(action, `${refused}. It was deleted, or is switched off in the repository.`, options);
    default:
      return new RequestRefused(SERVICE, status, refused, options);
  }
}

/** What a limit asks for, null where the failure is none. Where it names no time, who waits decides: a minute at least, then more. */
function limitOf(failure: Failure, circumstances: Circumstances): { waitMs: number | null } | null {
  const limited = failure.status === 429 || failure.status === 403 || failure.graphqlType === "RATE_LIMITED";
  const secondary = /secondary rate limit|abuse detection|rate limit exceeded|exceeded a rate limit/i.test(
    failure.message,
  );
  if (!limited && !(secondary && failure.graphqlType !== undefined)) return null;

  const told = retryAfter(failure, circumstances);
  if (told !== null) return { waitMs: told };
  const reset = Number(failure.headers["x-ratelimit-reset"]);
  if (String(failure.headers["x-ratelimit-remaining"]) === "0" && reset > 0) {
    // One second more, because the reset is told in whole seconds.
    const wait = reset * 1000 - clock(failure, circumstances) + 1000;
    return { waitMs: Math.round(Math.max(wait, 1000) + circumstances.jitter * MAX_JITTER_MS) };
  }
  const isLimit = failure.status === 429 || failure.graphqlType === "RATE_LIMITED" || secondary;
  return isLimit ? { waitMs: null } : null;
}

/** `retry-after` in seconds or as a date; at least a second. */
function retryAfter(failure: Failure, circumstances: Circumstances): number | null {
  const header = failure.headers["retry-after"];
  if (header === undefined || header === "") return null;
  const seconds = Number(header);
  const wait = Number.isNaN(seconds) ? Date.parse(String(header)) - clock(failure, circumstances) : seconds * 1000;
  return Number.isNaN(wait) ? null : Math.max(Math.ceil(wait), 1000);
}

/** GitHub's own clock where it told it: ours may be wrong. */
function clock(failure: Failure, circumstances: Circumstances): number {
  const date = Date.parse(String(failure.headers["date"] ?? ""));
  return Number.isNaN(date) ? circumstances.now : date;
}

function graphqlError(
  type: string,
  refused: string,
  { action }: Circumstances,
  options: ErrorOptions,
): MergewrightError {
  if (type === "NOT_FOUND") return new NotFound(action, `${refused}.`, options);
  if (type === "FORBIDDEN" || type === "INSUFFICIENT_SCOPES") {
    return new AccessDenied(SERVICE, `${refused}. Give the token or App write access to pull requests.`, options);
  }
  if (type === "INTERNAL" || type === "SERVICE_UNAVAILABLE") return new ServiceUnavailable(SERVICE, refused, options);
  return new RequestRefused(SERVICE, 422, refused, options);
}

function permissionHint(message: string): string {
  if (/suspended/i.test(message)) return "Unsuspend the App's installation in the owner's settings.";
  if (/archived/i.test(message)) return "The repository is archived: unarchive it, or leave the issue.";
  if (/\bSSO|SAML\b/i.test(message)) return "Authorise the token for the organisation's single sign-on.";
  return "Give the token or App the permission; `mergewright doctor` lists what it needs.";
}
