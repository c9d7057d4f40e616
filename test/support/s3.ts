/** An S3-compatible server for a test, with an empty bucket; and a front that answers as S3 does when something is wrong. */
import { createServer, type IncomingMessage, request as ask, type ServerResponse } from "node:http";
import { once } from "node:events";
import { startFauxqs } from "fauxqs";
import type { S3Options } from "../../activities/adapters/artifacts/s3.ts";

export const BUCKET = "mergewright-test";
export const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test-secret" };

export interface S3Server {
  endpoint: string;
  options(prefix: string): S3Options;
  stop(): Promise<void>;
}

export async function startS3(): Promise<S3Server> {
  const server = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
  server.createBucket(BUCKET);
  const endpoint = `http://127.0.0.1:${server.port}`;
  return { endpoint, options: (prefix) => optionsFor(endpoint, prefix), stop: () => server.stop() };
}

export function optionsFor(endpoint: string, prefix = ""): S3Options {
  return { bucket: BUCKET, prefix, endpoint, region: null, credentials: CREDENTIALS };
}

/** Answers every request with one error of S3, as often as it is asked. */
export async function startRefusing(
  status: number,
  code: string,
): Promise<{ endpoint: string; asked(): number; stop(): void }> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    request.resume();
    response.writeHead(status, { "content-type": "application/xml" });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>Told by the test.</Message></Error>`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as { port: number };
  return { endpoint: `http://127.0.0.1:${address.port}`, asked: () => asked, stop: () => server.close() };
}

/**
 * Stands before a server that ignores `If-None-Match: *`, and keeps to it: of two that write at once one is told 412. `first` answers
 * the first such writes in another way.
 */
export async function startConditional(
  behind: string,
  first: { status: number; times: number } = { status: 412, times: 0 },
): Promise<{ endpoint: string; stop(): void }> {
  let answers = first.times;
  let turn: Promise<unknown> = Promise.resolve();
  const passed = (from: IncomingMessage, method: string, body: Buffer, to?: ServerResponse) =>
    new Promise<number>((resolve, reject) => {
      const { "if-none-match": _, ...headers } = from.headers;
      const passing = ask(new URL(from.url!, behind), { method, headers }, (answer) => {
        if (to) answer.pipe(to.writeHead(answer.statusCode!, answer.headers));
        else answer.resume();
        answer.on("end", () => resolve(answer.statusCode!));
      });
      passing.on("error", reject).end(body);
    });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const refuse = (status: number) => response.writeHead(status).end();
    if (request.headers["if-none-match"] !== "*") return void (await passed(request, request.method!, body, response));
    if (answers-- > 0) return void refuse(first.status);
    // One after the other.
    turn = turn.then(async () => {
      const bodiless = Object.assign(Object.create(request), {
        headers: { ...request.headers, "content-length": "0" },
      });
      if ((await passed(bodiless, "HEAD", Buffer.alloc(0))) === 200) refuse(412);
      else await passed(request, "PUT", body, response);
    });
    await turn;
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: Error) => response.destroy(error));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return { endpoint: `http://127.0.0.1:${port}`, stop: () => server.close() };
}
