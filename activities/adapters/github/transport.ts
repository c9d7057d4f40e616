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
      url = new URL(location, url).href;
    }
    throw new UnreadableAnswer(`GitHub redirected more than ${MAX_HOPS} times, last to ${new URL(url).pathname}`);
  };
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
