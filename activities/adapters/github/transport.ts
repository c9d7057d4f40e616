/** The wire below Octokit: one time limit for request and answer, redirects that keep the method, whole answers only. */
import type { Fetch } from "./options.ts";

export interface TransportOptions {
  fetch: Fetch;
  timeoutMs: number;
  /** The only hosts that ever see our token. */
  origins: readonly string[];
  /** Told GitHub's clock minus ours, in milliseconds, with every answer that carries a date. */
  onClock: (skewMs: number) => void;
}

/** GitHub answered, but with something that cannot be its answer (a proxy's page, a cut body, a redirect elsewhere). */
export class UnreadableAnswer extends Error {}

const REDIRECTS = new Set([301, 302, 307, 308]);
/** A renamed repository takes one hop, one that was also transferred two. */
const MAX_HOPS = 5;

export function createTransport(options: TransportOptions): Fetch {
  return async (target, init) => {
    const timeLimit = AbortSignal.timeout(options.timeoutMs);
    const signal = init.signal ? AbortSignal.any([init.signal, timeLimit]) : timeLimit;
    let url = target;
    for (let hop = 0; hop <= MAX_HOPS; hop++) {
      const origin = new URL(url).origin;
      if (!options.origins.includes(origin)) {
        throw new UnreadableAnswer(`GitHub pointed to ${origin}, which is not where it was configured to be`);
      }
      // By hand, because fetch turns a redirected POST into a GET.
      const answer = await options.fetch(url, { ...init, redirect: "manual", signal });
      noteClock(answer, options.onClock);
      const location = answer.headers.get("location");
      if (!REDIRECTS.has(answer.status) || location === null) return await whole(answer);
      await answer.body?.cancel();
      const next = new URL(location, url);
      if (JOB_LOG.test(new URL(url).pathname) && !options.origins.includes(next.origin))
        return await storedLog(options.fetch, next, signal);
      url = next.href;
    }
    throw new UnreadableAnswer(`GitHub redirected more than ${MAX_HOPS} times, last to ${new URL(url).pathname}`);
  };
}

/** GitHub keeps the logs of jobs in a store of its own, at an address that is good for a minute and needs no token. */
const JOB_LOG = /\/actions\/jobs\/\d+\/logs$/;
/** A log that is longer is cut: whoever reads on for hours learns no more. */
const MAX_LOG_BYTES = 32 * 1024 * 1024;
/** Errors stand at the end. */
const KEPT_LOG_BYTES = 64 * 1024;

/** The end of a log, from wherever GitHub keeps it. Nothing of ours is sent there, and no further redirect is followed. */
async function storedLog(get: Fetch, url: URL, signal: AbortSignal): Promise<Response> {
  if (url.protocol !== "https:" && !["localhost", "127.0.0.1"].includes(url.hostname))
    throw new UnreadableAnswer(`GitHub pointed to ${url.origin} for a log, which is not https`);
  const answer = await get(url.href, { redirect: "error", signal });
  let kept = Buffer.alloc(0);
  let read = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    read += chunk.byteLength;
    kept = Buffer.concat([kept, chunk]).subarray(-KEPT_LOG_BYTES);
    if (read > MAX_LOG_BYTES) break;
  }
  const headers = { "content-type": "text/plain; charset=utf-8" };
  return new Response(kept.toString("utf8"), { status: answer.status, headers });
}

/** Octokit turns a body that breaks off into an empty string; reading it here makes that the fault which it is. */
async function whole(answer: Response): Promise<Response> {
  const body = await answer.arrayBuffer();
  const expectsNone = answer.status === 204 || answer.status === 205 || answer.status === 304;
  if (answer.ok && !expectsNone) requireJson(answer, body);
  return new Response(expectsNone ? null : body, { status: answer.status, headers: answer.headers });
}

function requireJson(answer: Response, body: ArrayBuffer): void {
  const type = answer.headers.get("content-type") ?? "nothing";
  if (!/\bjson\b/i.test(type))
    throw new UnreadableAnswer(`GitHub answered ${answer.status} with ${type} instead of JSON`);
  try {
    JSON.parse(Buffer.from(body).toString("utf8"));
  } catch (error) {
    throw new UnreadableAnswer(`GitHub answered ${answer.status} with JSON that does not parse`, { cause: error });
  }
}

function noteClock(answer: Response, onClock: (skewMs: number) => void): void {
  const theirs = Date.parse(answer.headers.get("date") ?? "");
  if (!Number.isNaN(theirs)) onClock(theirs - Date.now());
}
