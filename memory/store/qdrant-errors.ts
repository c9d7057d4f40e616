/** What the client throws, as the errors that the product knows. */
import { QdrantClientResourceExhaustedError } from "@qdrant/js-client-rest";
import {
  AccessDenied,
  MergewrightError,
  RateLimited,
  RequestRefused,
  ServiceUnavailable,
} from "../../domain/errors.ts";

const SERVICE = "qdrant";

export function asDomainError(error: unknown, url: string): unknown {
  if (error instanceof MergewrightError || (error as Error | null)?.name === "AbortError") return error;
  if (error instanceof QdrantClientResourceExhaustedError) {
    const seconds = Number(error.retry_after);
    return new RateLimited(
      SERVICE,
      Number.isFinite(seconds) ? seconds * 1_000 : null,
      `Qdrant at ${url} asks us to wait.`,
      {
        cause: error,
      },
    );
  }
  const status = (error as { status?: unknown } | null)?.status;
  if (typeof status !== "number" || status >= 500)
    return new ServiceUnavailable(SERVICE, `Qdrant at ${url} does not answer as it should: ${messageOf(error)}`, {
      cause: error,
    });
  if (status === 401 || status === 403)
    return new AccessDenied(SERVICE, `Qdrant at ${url} refuses the key (${status}). Correct QDRANT_API_KEY.`, {
      cause: error,
    });
  return new RequestRefused(SERVICE, status, `Qdrant at ${url} refused the request (${status}): ${messageOf(error)}`, {
    cause: error,
  });
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const said = (error as { data?: { status?: { error?: unknown } } }).data?.status?.error;
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return `${error.message}${typeof said === "string" ? `: ${said}` : ""}${cause}`.slice(0, 500);
}
