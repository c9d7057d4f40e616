/** The played Messages API: validates like the real one, streams like the real one, says what a scenario tells it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Fault, Faults, refusalOf, spoilReply } from "./faults.ts";
import { Ledger, type LedgerEntry } from "./ledger.ts";
import { placeOf } from "./place.ts";
import { findTurn, readRequest } from "./read.ts";
import { Refusal, errorBody, invalid } from "./refusal.ts";
import { makeReply, shortHash, sse, streamEvents, wholeMessage, type Reply } from "./reply.ts";
import type { Scenario } from "./scenario.ts";
import { PromptCache } from "./usage.ts";
import { checkHeaders, checkRequest, parseBody, type ValidationOptions } from "./validate.ts";

export interface PlayedModelOptions {
  scenarios: readonly Scenario[];
  host?: string;
  /** 0 or absent: any free port. */
  port?: number;
  /** The only key that is accepted; absent: any. */
  apiKey?: string;
  models?: readonly string[];
  /** Keeps the ledger in this file, across restarts. */
  stateFile?: string;
  /** Time before the first event of a reply, in milliseconds. */
  thinkMs?: number;
  /** Time between two events of a stream, in milliseconds. */
  eventMs?: number;
  /** Told each request for a reply, as it was sent. */
  onRequest?: (body: string) => void;
}

export interface PlayedModel {
  url: string;
  ledger: Ledger;
  faults: Faults;
  close(): Promise<void>;
}

export const MODELS = ["claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-2"] as const;

/** The API takes at most 32 MB. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

export async function startModel(options: PlayedModelOptions): Promise<PlayedModel> {
  const ledger = new Ledger(options.stateFile ?? null);
  const faults = new Faults();
  const play: Play = {
    options,
    validation: {
      models: options.models ?? MODELS,
      ...(options.apiKey !== undefined ? { apiKey: options.apiKey } : {}),
    },
    ledger,
    faults,
    cache: new PromptCache(),
    requests: 0,
  };
  const server = createServer((request, response) => {
    serve(play, request, response).catch((error: unknown) => {
      if (!response.headersSent)
        send(response, 500, errorBody("api_error", `The played model failed: ${String(error)}`, "req_played"));
      else response.destroy();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, options.host ?? "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host ?? "127.0.0.1"}:${port}`,
    ledger,
    faults,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Play {
  options: PlayedModelOptions;
  validation: ValidationOptions;
  ledger: Ledger;
  faults: Faults;
  cache: PromptCache;
  requests: number;
}

async function serve(play: Play, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "/").split("?")[0]!;
  const requestId = `req_played${String(++play.requests).padStart(8, "0")}`;
  response.setHeader("request-id", requestId);
  try {
    if (path.startsWith("/_played/")) return await control(play, path, request, response);
    if (path === "/v1/messages" && request.method === "POST") return await messages(play, request, response);
    if (path.startsWith("/v1/models") && request.method === "GET") return models(play, path, request, response);
    throw new Refusal(404, "not_found_error", `Not found: ${request.method} ${path}`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    send(response, error.status, errorBody(error.type, error.message, requestId), error.headers);
  }
}

async function messages(play: Play, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const receivedMs = performance.timeOrigin + performance.now();
  const raw = await readBody(request);
  play.options.onRequest?.(raw);
  const entry: LedgerEntry = {
    at: new Date().toISOString(),
    receivedMs,
    endedMs: null,
    digest: shortHash(raw),
    place: "",
    role: null,
    scenario: null,
    round: 0,
    turn: 0,
    model: "",
    requestBytes: Buffer.byteLength(raw),
    stream: false,
    status: 200,
    error: null,
    fault: null,
    stopReason: null,
    usage: null,
    delivered: false,
  };
  play.ledger.open(entry);
  let recorded = false;
  const record = (): void => {
    if (!recorded) play.ledger.close(entry);
    recorded = true;
  };
  try {
    await answer(play, request, response, raw, entry, record);
  } catch (error) {
    if (error instanceof Refusal) {
      entry.status = error.status;
      entry.error = error.message;
    }
    throw error;
  } finally {
    record();
  }
}

async function answer(
  play: Play,
  request: IncomingMessage,
  response: ServerResponse,
  raw: string,
  entry: LedgerEntry,
  record: () => void,
): Promise<void> {
  checkHeaders(request.headers, play.validation);
  const body = parseBody(raw);
  checkRequest(body, play.validation);
  const read = readRequest(body);
  Object.assign(entry, {
    place: placeOf(read),
    role: read.role,
    round: read.round,
    turn: read.turn,
    model: read.model,
    stream: body.stream === true,
  });
  const fault = play.faults.take(read);
  entry.fault = fault?.kind ?? null;
  const refusal = refusalOf(fault);
  if (refusal) throw refusal;
  if (fault?.kind === "no-answer") return void request.socket.destroy();
  const found = findTurn(play.options.scenarios, read);
  if ("problem" in found) throw invalid(`Played model: ${found.problem}`);
  entry.scenario = found.scenario;
  const reply = spoilReply(makeReply(found.turn, body.model, play.cache.bill(body, Date.now()), entry.digest), fault);
  entry.stopReason = reply.stopReason;
  entry.usage = reply.usage;
  if (play.options.thinkMs) await sleep(play.options.thinkMs);
  if (fault?.kind === "wait") await sleep(fault.ms);
  // On record before its last byte is out: a kill right after must not lose what was paid.
  const deliver = (last: () => void): void => {
    entry.delivered = !response.destroyed;
    entry.endedMs = performance.timeOrigin + performance.now();
    record();
    last();
  };
  if (body.stream === true) await stream(play, response, reply, fault, deliver);
  else deliver(() => send(response, 200, wholeMessage(reply)));
}

async function stream(
  play: Play,
  response: ServerResponse,
  reply: Reply,
  fault: Fault | null,
  deliver: (last: () => void) => void,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  const spoilAt = fault !== null && "afterEvents" in fault ? fault.afterEvents : Number.POSITIVE_INFINITY;
  let written = 0;
  let pending = "";
  for (const event of streamEvents(reply)) {
    if (written >= spoilAt) break;
    written++;
    if (play.options.eventMs && pending !== "") {
      response.write(pending);
      pending = "";
      await sleep(play.options.eventMs);
    }
    pending += event;
  }
  if (fault === null || !("afterEvents" in fault)) return deliver(() => response.end(pending));
  await new Promise<void>((resolve) => response.write(pending || ": \n\n", () => resolve()));
  await spoilStream(response, fault);
}

async function spoilStream(response: ServerResponse, fault: Extract<Fault, { afterEvents: number }>): Promise<void> {
  switch (fault.kind) {
    case "drop":
      // Time for what was written to arrive before the connection is torn down.
      await sleep(20);
      response.destroy();
      return;
    case "end-early":
      response.end();
      return;
    case "error-event":
      response.end(sse("error", errorBody(fault.type, fault.message, "req_played")));
      return;
    case "stall": {
      const ends = Date.now() + fault.ms;
      while (Date.now() < ends && !response.destroyed) {
        if (fault.pings) response.write(sse("ping", { type: "ping" }));
        await sleep(Math.min(50, fault.ms));
      }
      response.destroy();
      return;
    }
  }
}

function models(play: Play, path: string, request: IncomingMessage, response: ServerResponse): void {
  checkHeaders(request.headers, play.validation);
  const describe = (id: string): object => ({
    type: "model",
    id,
    display_name: id,
    created_at: "2026-01-01T00:00:00Z",
  });
  const id = decodeURIComponent(path.slice("/v1/models/".length));
  if (id === "")
    return send(response, 200, {
      data: play.validation.models.map(describe),
      has_more: false,
      first_id: null,
      last_id: null,
    });
  if (!play.validation.models.includes(id)) throw new Refusal(404, "not_found_error", `model: ${id}`);
  send(response, 200, describe(id));
}

/** For tests and for the narrator: `/_played/ledger` and `/_played/faults`, GET, POST and DELETE. */
async function control(play: Play, path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const route = `${request.method} ${path}`;
  switch (route) {
    case "GET /_played/ledger":
      return send(response, 200, play.ledger.read());
    case "DELETE /_played/ledger":
      play.ledger.clear();
      return send(response, 200, {});
    case "GET /_played/faults":
      return send(response, 200, { faults: play.faults.list() });
    case "DELETE /_played/faults":
      play.faults.clear();
      return send(response, 200, {});
    case "POST /_played/faults": {
      const parsed = z.union([Fault, z.array(Fault)]).safeParse(parseBodyOrList(await readBody(request)));
      if (!parsed.success) throw invalid(`faults: ${z.prettifyError(parsed.error)}`);
      for (const fault of [parsed.data].flat()) play.faults.add(fault);
      return send(response, 201, { faults: play.faults.list() });
    }
    default:
      throw new Refusal(404, "not_found_error", `Not found: ${route}`);
  }
}

function parseBodyOrList(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    throw invalid("The request body is not valid JSON");
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Read on to the end: an answer to a half-read request would break the connection for the next one.
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) throw new Refusal(413, "request_too_large", "Request exceeds the maximum size");
  return Buffer.concat(chunks).toString("utf8");
}

function send(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
