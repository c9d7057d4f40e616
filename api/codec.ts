/**
 * The codec server: what the Temporal Web UI and the `temporal` command line ask so that people can read encrypted payloads, and
 * large ones that lie in the artifact store. For those who may see the pages, and for no page of anybody else.
 * @see https://docs.temporal.io/codec-server
 */
import type { Context } from "hono";
import { Hono } from "hono";
import type { Guard } from "./guard.ts";
import { parseJson } from "./json.ts";
import { isLoopbackHost } from "./loopback.ts";
import { problem } from "./problem.ts";
import { readBody } from "./read-body.ts";

/** Payloads as protobuf's JSON writes them: bytes in base64. Throws what a person should be told. */
export interface PayloadReader {
  decode(payloads: readonly unknown[]): Promise<unknown[]>;
  encode(payloads: readonly unknown[]): Promise<unknown[]>;
}

/** A page of history is far below; a gRPC message ends at 4 MB. */
const LIMITS = { maxBytes: 16_000_000, timeoutMs: 20_000 };

/** @param webUi where people reach the Temporal Web UI: the only other page that is answered. */
export function codec(reader: PayloadReader, guard: Guard, webUi: string | null): Hono {
  const app = new Hono();

  app.use("/codec/*", async (c, next) => {
    const origin = c.req.header("origin") ?? null;
    if (origin !== null) {
      const own = origin === new URL(c.req.url).origin;
      if (!own && !isWebUi(origin, webUi))
        return problem(c, {
          status: 403,
          code: "foreign-origin",
          message: `Pages of ${origin.slice(0, 100)} are not answered here. Name that Web UI in TEMPORAL_UI_URL.`,
        });
      c.header("Access-Control-Allow-Origin", origin);
      c.header("Access-Control-Allow-Credentials", "true");
      c.header("Vary", "Origin");
      c.header("Cross-Origin-Resource-Policy", "cross-origin");
    }
    if (c.req.method === "OPTIONS") {
      c.header("Access-Control-Allow-Methods", "POST");
      // The Web UI adds headers of its own (namespace, tokens).
      c.header("Access-Control-Allow-Headers", c.req.header("access-control-request-headers") ?? "content-type");
      c.header("Access-Control-Max-Age", "600");
      return c.body(null, 204);
    }
    if (guard.maySee(c)) return next();
    const message = "Send the API token as `Authorization: Bearer`, or log in to the pages in this browser first.";
    return problem(c, { status: 401, code: "no-token", message });
  });
  app.post("/codec/decode", (c) => answer(c, (payloads) => reader.decode(payloads)));
  app.post("/codec/encode", (c) => answer(c, (payloads) => reader.encode(payloads)));
  return app;
}

async function answer(c: Context, work: (payloads: readonly unknown[]) => Promise<unknown[]>): Promise<Response> {
  const body = await readBody(c.req.raw, LIMITS);
  if (body.kind === "too-large")
    return problem(c, { status: 413, code: "too-large", message: `More than ${LIMITS.maxBytes} bytes.` });
  if (body.kind !== "read") return problem(c, { status: 408, code: body.kind, message: "The body did not arrive." });
  const json = parseJson(body.bytes);
  const payloads = json.ok ? (json.value as { payloads?: unknown } | null)?.payloads : undefined;
  if (!Array.isArray(payloads))
    return problem(c, { status: 400, code: "not-payloads", message: 'Send {"payloads": [...]} as JSON.' });
  return c.json({ payloads: await work(payloads) });
}

/** A Web UI on this machine is reached by any of its names. */
function isWebUi(origin: string, webUi: string | null): boolean {
  if (webUi === null || !URL.canParse(origin)) return false;
  const [asked, known] = [new URL(origin), new URL(webUi)];
  if (asked.origin === known.origin) return true;
  const local = isLoopbackHost(asked.hostname) && isLoopbackHost(known.hostname);
  return local && asked.protocol === known.protocol && asked.port === known.port;
}
