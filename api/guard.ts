/** Stands before every route but webhook, health and ready: how often, under which name, and with which token. */
import type { Context, MiddlewareHandler, Next } from "hono";
import { getCookie } from "hono/cookie";
import type { Access, Session } from "./access.ts";
import { isLoopbackHost } from "./loopback.ts";
import { problem, type Problem } from "./problem.ts";
import type { RateLimit } from "./rate-limit.ts";

export const SESSION_COOKIE = "mergewright_session";
/** Guessing a token is ten times dearer than asking. */
const WRONG_TOKEN_COST = 10;

export interface Guard {
  /** For everything: the rate, and without a token the Host header. */
  everything: MiddlewareHandler;
  /** The bearer token, where one is set. */
  token: MiddlewareHandler;
  /** For the JSON API: the bearer token; without one set, only reading. */
  api: MiddlewareHandler;
  /** The logged-in person, for the pages; null: nobody, or no token is set. */
  session(c: Context): Session | null;
  /** May this request see a page? */
  maySee(c: Context): boolean;
  /** Counts a wrong token against the client. */
  wrongToken(c: Context): void;
}

export const CHANGES_NEED_TOKEN: Problem = {
  status: 403,
  code: "changes-need-a-token",
  message:
    "Without MERGEWRIGHT_API_TOKEN nothing can be changed over HTTP. Set it (in .env, say), restart, and send it as `Authorization: Bearer`.",
};

export function createGuard(access: Access, rateLimit: RateLimit): Guard {
  const bearer = (c: Context) => /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? null;
  const wrongToken = (c: Context) => void rateLimit.take(clientOf(c), WRONG_TOKEN_COST);

  return {
    wrongToken,
    session: (c) => access.readSession(getCookie(c, SESSION_COOKIE)),

    maySee(c) {
      if (!access.guarded || this.session(c) !== null) return true;
      const token = bearer(c);
      if (token === null) return false;
      const right = access.isToken(token);
      if (!right) wrongToken(c);
      return right;
    },

    everything: async (c, next) => {
      if (!rateLimit.take(clientOf(c))) {
        c.header("Retry-After", String(rateLimit.retryAfterSeconds));
        return problem(c, {
          status: 429,
          code: "too-many-requests",
          message: "Too many requests from this address. Wait a little.",
        });
      }
      const host = c.req.header("host") ?? new URL(c.req.url).host;
      if (!access.guarded && !isLoopbackHost(host)) {
        const message = `Without MERGEWRIGHT_API_TOKEN this answers only to localhost, not to ${host.slice(0, 100)}. Set the token to use another name.`;
        return problem(c, { status: 403, code: "foreign-host", message });
      }
      return next();
    },

    api: async (c, next) => {
      const reads = c.req.method === "GET" || c.req.method === "HEAD";
      return access.guarded || reads ? askToken(c, next) : problem(c, CHANGES_NEED_TOKEN);
    },

    token: askToken,
  };

  async function askToken(c: Context, next: Next): Promise<Response | void> {
    if (!access.guarded) return next();
    const token = bearer(c);
    if (token !== null && access.isToken(token)) return next();
    if (token !== null) wrongToken(c);
    c.header("WWW-Authenticate", 'Bearer realm="mergewright"');
    const message =
      token === null ? "Send the API token as `Authorization: Bearer`." : "This is not the API token that is set here.";
    return problem(c, { status: 401, code: token === null ? "no-token" : "wrong-token", message });
  }
}

/** The address of whoever is connected. Forwarding headers are not believed: anybody can write them. */
function clientOf(c: Context): string {
  const bindings = c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined;
  return bindings?.incoming?.socket?.remoteAddress ?? "unknown";
}
