/** `/mcp`: the Model Context Protocol over streamable HTTP, stateless. The door is here, the tools are in `memory/mcp/`. */
import { Hono, type Context } from "hono";
import { parseJson } from "./json.ts";
import { problem } from "./problem.ts";
import { readBody } from "./read-body.ts";

/** Answers one message of the protocol: the body, parsed. Who may ask, and how much, was judged before. */
export type McpHandler = (request: Request, message: unknown) => Promise<Response>;

/** The longest memory, and an issue's text as a query, fit in several times. */
const BODY_LIMITS = { maxBytes: 256 * 1024, timeoutMs: 10_000 };

const INVALID_REQUEST = -32600;
const PARSE_ERROR = -32700;
const NOT_ALLOWED = -32000;

export function mcp(handle: McpHandler): Hono {
  const app = new Hono();
  app.all("/mcp", async (c) => {
    // A page elsewhere could make a browser send this. Programs send no Origin.
    const origin = c.req.header("origin");
    if (origin !== undefined && origin !== new URL(c.req.url).origin)
      return problem(c, {
        status: 403,
        code: "foreign-origin",
        message: `Pages of ${origin.slice(0, 100)} are not answered here.`,
      });
    if (c.req.method !== "POST") {
      c.header("Allow", "POST");
      return refuse(c, 405, NOT_ALLOWED, "Nothing is kept here between requests: send each message by POST.");
    }
    const body = await readBody(c.req.raw, BODY_LIMITS);
    if (body.kind === "too-large")
      return refuse(c, 413, INVALID_REQUEST, `The body is larger than ${BODY_LIMITS.maxBytes} bytes.`);
    if (body.kind !== "read") return refuse(c, 408, INVALID_REQUEST, "The body did not arrive.");
    const parsed = parseJson(body.bytes);
    if (!parsed.ok) return refuse(c, 400, PARSE_ERROR, `The body is ${parsed.problem}.`);
    // The protocol has none since 2025-06-18, and one request could ask for a thousand things.
    if (Array.isArray(parsed.value)) return refuse(c, 400, INVALID_REQUEST, "Send one message a request, not a list.");
    return handle(c.req.raw, parsed.value);
  });
  return app;
}

/** In the form of JSON-RPC: that is what the clients of this address read. */
function refuse(c: Context, status: 400 | 405 | 408 | 413, code: number, message: string): Response {
  return c.json({ jsonrpc: "2.0", error: { code, message }, id: null }, status);
}
