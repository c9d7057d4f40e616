/** An S3-compatible server for a test, with an empty bucket; and a front that answers as S3 does when something is wrong. */
import { createServer } from "node:http";
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
