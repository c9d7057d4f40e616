/** What a key may be, for every store: safe as a path on any file system, and as a name in S3 without escapes. */
import { RequestRefused } from "../../../domain/errors.ts";

/** S3's own limit is 1,024 bytes; a file name's is 255, and ours gets no suffix. */
const MAX_KEY = 900;
const MAX_PART = 200;
const PART = /^[A-Za-z0-9_%][A-Za-z0-9_.@=+,!~%-]*$/;

/** @throws RequestRefused with the reason. */
export function checkKey(key: string): string {
  const bad =
    key.length > MAX_KEY ||
    // A trailing dot is dropped by Windows, so two keys would be one.
    key.split("/").some((part) => part.length > MAX_PART || !PART.test(part) || part.endsWith("."));
  if (bad) {
    throw new RequestRefused(
      "artifacts",
      422,
      `${JSON.stringify(key.slice(0, 200))} is not an artifact key: parts of letters, digits and _.@=+,!~%- that begin with a letter, digit, _ or %, joined by /.`,
    );
  }
  return key;
}
