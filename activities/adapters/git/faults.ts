/** What git said, as an error of ours: worth another try, refused, missing, or broken. */
import { AccessDenied, GitFailed, NotFound, RateLimited, ServiceUnavailable } from "../../../domain/errors.ts";
import { tailOf } from "../../../domain/text.ts";
import type { GitResult } from "./git.ts";

/** The server answered with a redirect, which git is told not to follow. Never leaves this folder: see `withRedirect`. */
export class Moved extends GitFailed {}

/**
 * What a failed fetch, push or ls-remote means, as the error that says so. `what` names the branch or repository.
 * Git's messages are stable under LC_ALL=C; anything unknown is GitFailed with git's own words.
 */
export function remoteFault(what: string, command: string, result: GitResult): Error {
  const text = result.stderr;
  const said = lastLines(text);
  const status = httpStatus(text);
  if (status !== null && status >= 300 && status < 400)
    return new Moved(command, result.exitCode, `${what} has moved: ${said}`);
  if (status === 429) return new RateLimited("git", null, `Too many requests for ${what}: ${said}`);
  if (status === 403 && /rate limit|abuse/i.test(text))
    return new RateLimited("git", null, `Too many requests for ${what}: ${said}`);
  if (status === 401 || status === 403 || status === 407 || DENIED.test(text)) {
    return new AccessDenied(
      "git",
      `Access to ${what} was refused: ${said} Check that the token is valid and may read and write contents.`,
    );
  }
  if (status === 404 || status === 410 || status === 451 || MISSING.test(text)) {
    return new NotFound("repository", `${what} was not found: ${said} Check the name, and that the token may see it.`);
  }
  if ((status !== null && status >= 500) || PASSING.test(text))
    return new ServiceUnavailable("git", `${what} could not be reached: ${said}`);
  if (/no space left on device/i.test(text))
    return new ServiceUnavailable("git", `The worker's disk is full: ${said} Make room under MERGEWRIGHT_HOME.`);
  return new GitFailed(
    command,
    result.exitCode,
    `git ${command} of ${what} failed: ${said || `exit code ${result.exitCode}`}`,
  );
}

const DENIED =
  /authentication failed|could not read (username|password)|terminal prompts disabled|permission .* denied|access denied|invalid username or (password|token)/i;
const MISSING = /repository .*not found|does not appear to be a git repository|does not exist/i;
const PASSING =
  /could not resolve host|failed to connect|couldn't connect|connection (refused|reset|timed out|was reset|closed)|timed? ?out|timeout|early eof|rpc failed|hung up|disconnect|empty reply|ssl|tls|gnutls|too slow|network is unreachable|no route to host|transfer closed|expected flush|bad line length|invalid index-pack output|send failure|recv failure|internal server error|http\/2 stream|curl \d+/i;

function httpStatus(stderr: string): number | null {
  const match = /returned error: (\d{3})|HTTP (?:code )?(\d{3})|HTTP\/\d(?:\.\d)? (\d{3})/.exec(stderr);
  const digits = match?.[1] ?? match?.[2] ?? match?.[3];
  return digits === undefined ? null : Number(digits);
}

/** What git said, in one line of a length fit for an error message. */
export function lastLines(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    // oxlint-disable-next-line no-control-regex -- a server's words may carry terminal codes
    .map((line) => line.replace(/[\u0000-\u001f\u007f-\u009f]/g, "").trim())
    .filter(
      (line) =>
        line !== "" &&
        !/^(remote: )?(counting|compressing|receiving|resolving|enumerating|writing|delta|total)\b/i.test(line),
    );
  const text = lines.slice(-6).join(" ");
  return text.length > 800 ? `…${tailOf(text, 800)}` : text;
}
