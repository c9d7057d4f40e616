/** Reads what Octokit throws: which answer of GitHub's, if any, stands behind an error. */
import type { Failure } from "./errors.ts";

class GraphqlFailure extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** GraphQL answers 200 with its errors inside. */
export function throwGraphqlErrors(data: unknown, headers: Failure["headers"]): void {
  if (typeof data !== "object" || data === null) return;
  const errors =
    "errors" in data && Array.isArray(data.errors) ? (data.errors as { type?: unknown; message?: unknown }[]) : [];
  const first = errors[0];
  if (first === undefined) return;
  const message = errors.map((error) => String(error.message)).join("; ");
  throw new GraphqlFailure({
    status: 200,
    message,
    headers,
    graphqlType: typeof first.type === "string" ? first.type : "UNPROCESSABLE",
  });
}

interface ErrorAnswer {
  headers: Failure["headers"];
  data?: { message?: unknown; errors?: unknown };
}

/** What an error of Octokit says; null for one that is none of GitHub's, such as a mistake of ours. */
export function readFailure(error: unknown): Failure | null {
  if (error instanceof GraphqlFailure) return error.failure;
  if (!(error instanceof Error)) return null;
  const response = "response" in error ? (error.response as ErrorAnswer | undefined) : undefined;
  if (response === undefined) {
    // Octokit gives faults of the connection the status 500.
    return "status" in error ? { status: null, message: connectionFault(error), headers: {} } : null;
  }
  const data = response.data;
  const isObject = typeof data === "object" && data !== null;
  // The throttling plugin throws the limit of GraphQL before we see the answer.
  if (!("status" in error))
    return { status: 200, message: error.message, headers: response.headers, graphqlType: "RATE_LIMITED" };
  const details = isObject && Array.isArray(data.errors) ? data.errors.map(detail).filter(Boolean).join("; ") : "";
  const message = isObject && typeof data.message === "string" ? data.message : "no reason given";
  return {
    status: Number(error.status),
    message: details ? `${message}: ${details}` : message,
    headers: response.headers,
  };
}

/** `{resource, field, code, message}` of a 422, or a plain string. */
function detail(error: unknown): string {
  if (typeof error === "string") return error;
  if (typeof error !== "object" || error === null) return "";
  const { message, field, code } = error as { message?: unknown; field?: unknown; code?: unknown };
  return typeof message === "string" ? message : [field, code].filter(Boolean).join(" is ");
}

function connectionFault(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : null;
  if (cause?.name === "TimeoutError" || error.name === "TimeoutError") return "the time limit of the request passed";
  const inner = cause?.cause instanceof Error ? cause.cause.message : "";
  return [error.message, inner].filter((text, index, all) => text && all.indexOf(text) === index).join(": ");
}
