/** What went wrong in S3, in our words: what it was, what to do, and whether another try may help. */
import {
  AccessDenied,
  MergewrightError,
  NotFound,
  RateLimited,
  RequestRefused,
  ServiceUnavailable,
} from "../../../domain/errors.ts";

interface Where {
  bucket: string;
  endpoint: string | null;
}

interface Said {
  name?: string;
  message?: string;
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

const CREDENTIALS = "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the profile, or the role of this machine)";
const CREDENTIAL_ERRORS = new Set(["CredentialsProviderError", "TokenProviderError", "ExpiredToken", "InvalidToken"]);
const ACCESS_ERRORS = new Set(["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled"]);

/** There is no object of this name; a missing bucket is another matter. */
export function isMissingKey(error: unknown): boolean {
  const { name, $metadata } = error as Said;
  return name === "NoSuchKey" || (name === "NotFound" && $metadata?.httpStatusCode === 404);
}

/** A write was only to be made where there is nothing, and there is something. */
export function isTaken(error: unknown): boolean {
  return (error as Said).$metadata?.httpStatusCode === 412;
}

/** Another request for the same object was under way. */
export function isConflict(error: unknown): boolean {
  return (error as Said).$metadata?.httpStatusCode === 409;
}

/** The service does not know writes with a condition. */
export function isUnknownCondition(error: unknown): boolean {
  return (error as Said).$metadata?.httpStatusCode === 501;
}

export function explained(error: unknown, what: string, { bucket, endpoint }: Where): unknown {
  if (error instanceof MergewrightError) return error;
  const { name = "", message = "", code = "", $metadata } = error as Said;
  const status = $metadata?.httpStatusCode ?? 0;
  const cause = { cause: bare(error as Said) };
  const said = `${name || code}${message ? `: ${firstLine(message)}` : ""}`;
  const where = endpoint ?? "S3";

  if (name === "NoSuchBucket")
    return new NotFound(
      `bucket ${bucket}`,
      `${what}: ${where} has no bucket ${bucket}. Make it, or correct ARTIFACTS_URL.`,
      cause,
    );
  if (/region is missing/i.test(message))
    return new RequestRefused(
      "S3",
      400,
      `${what}: no region is known for the bucket ${bucket}. Set AWS_REGION, or S3_ENDPOINT for a service that is not Amazon's.`,
      cause,
    );
  if (name === "PermanentRedirect" || name === "AuthorizationHeaderMalformed" || status === 301)
    return new RequestRefused(
      "S3",
      status,
      `${what}: the bucket ${bucket} stands in another region (${said}). Correct AWS_REGION.`,
      cause,
    );
  if (name === "RequestTimeTooSkewed")
    return new AccessDenied("S3", `${what}: this machine's clock is wrong by minutes (${said}). Set it by NTP.`, cause);
  if (CREDENTIAL_ERRORS.has(name))
    return new AccessDenied(
      "S3",
      `${what}: there are no credentials that hold for S3 (${said}). ${CREDENTIALS}.`,
      cause,
    );
  if (ACCESS_ERRORS.has(name) || status === 401 || status === 403)
    return new AccessDenied(
      "S3",
      `${what}: ${where} refused the credentials for the bucket ${bucket} (${said}). ${CREDENTIALS}; the account needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket.`,
      cause,
    );
  if (status === 429) return new RateLimited("S3", null, `${what}: ${where} asks for patience (${said}).`, cause);
  if (status === 0 || status >= 500)
    return new ServiceUnavailable(
      "S3",
      `${what}: ${where} does not answer or is overloaded (${said}). ${endpoint === null ? "Is the network up?" : "Is it up, and is S3_ENDPOINT right?"}`,
      cause,
    );
  return new RequestRefused("S3", status, `${what}: ${where} refused the request (${status} ${said}).`, cause);
}

/** The SDK's own error carries the whole connection, and the signed headers, into every log. */
function bare({ name, message }: Said): Error {
  return Object.assign(new Error(message), { name: name ?? "Error" });
}

function firstLine(text: string): string {
  return text.split("\n")[0]!.slice(0, 300);
}
