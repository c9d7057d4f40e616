import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { listen, type Listening } from "../../api/server.ts";
import { ConfigurationError } from "../../domain/errors.ts";
import { pour } from "../support/pour.ts";
import { createTestApi, delivery, opened, TOKEN, type TestApi } from "./support.ts";

let listening: Listening | null = null;
afterEach(async () => {
  await listening?.close();
  listening = null;
});

async function serve(api: TestApi, requestTimeoutMs?: number): Promise<string> {
  const options = { host: "127.0.0.1", port: 0, apiToken: TOKEN };
  listening = await listen(api.app, requestTimeoutMs === undefined ? options : { ...options, requestTimeoutMs });
  return listening.url;
}

const megabyte = new Uint8Array(1024 * 1024).fill(0x20);
const json = {
  "content-type": "application/json",
  "x-github-event": "issues",
  "x-github-delivery": "g",
  "x-hub-signature-256": "sha256=0",
};

describe("a body that is too large", () => {
  test("is refused by its length before it is read", async () => {
    const url = await serve(createTestApi());
    const status = await pour(
      url,
      { ...json, "content-length": String(26 * 1024 * 1024) },
      Array<Uint8Array>(26).fill(megabyte),
    );
    expect(status).toBe(413);
  });

  test("is refused when it comes in chunks of no announced length, also to clients that read only after they have sent", async () => {
    const api = createTestApi();
    const url = await serve(api);
    let sent = 0;
    const body = new ReadableStream({
      pull: (controller) => (sent++ < 27 ? controller.enqueue(megabyte) : controller.close()),
    });
    const response = await fetch(`${url}/webhook/github`, {
      method: "POST",
      body,
      headers: json,
      duplex: "half",
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(await pour(url, { ...json, "transfer-encoding": "chunked" }, Array<Uint8Array>(60).fill(megabyte))).toBe(
      413,
    );
    expect(api.deliveries).toEqual([]);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  test("of 24 MB is not too large, and is answered quickly", async () => {
    const api = createTestApi();
    const url = await serve(api);
    const body = `${opened().slice(0, -1)},"padding":"${"x".repeat(24 * 1024 * 1024)}"}`;
    const began = Date.now();
    expect((await fetch(`${url}/webhook/github`, delivery(body))).status).toBe(202);
    expect(Date.now() - began).toBeLessThan(8_000);
    expect(JSON.stringify(api.deliveries).length).toBeLessThan(2_000);
  });
});

test("a body that never ends is closed by our own time limit", async () => {
  const url = new URL(await serve(createTestApi(), 1_500));
  const socket = connect(Number(url.port), url.hostname);
  const head = Object.entries(json).map(([name, value]) => `${name}: ${value}`);
  socket.write(
    ["POST /webhook/github HTTP/1.1", "host: localhost", "transfer-encoding: chunked", ...head, "", ""].join("\r\n"),
  );
  const drip = setInterval(() => socket.write("1\r\n \r\n"), 100);
  const began = Date.now();
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("close", resolve));
  clearInterval(drip);
  expect(Date.now() - began).toBeLessThan(6_000);
  expect((await fetch(`${url.origin}/health`)).status).toBe(200);
});

test("the handler itself gives up on a body that stalls", async () => {
  const { app } = createTestApi({ webhookLimits: { maxBytes: 1000, timeoutMs: 100 } });
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
  const response = await app.request("/webhook/github", {
    method: "POST",
    body,
    headers: json,
    duplex: "half",
  } as RequestInit);
  expect(response.status).toBe(408);
});

describe("without an API token the server listens only to this machine", () => {
  test.each(["0.0.0.0", "::", "192.168.1.4", "example.com"])("not on %s", async (host) => {
    await expect(listen(createTestApi().app, { host, port: 0, apiToken: null })).rejects.toThrow(ConfigurationError);
  });

  test.each(["127.0.0.1", "localhost"])("but on %s", async (host) => {
    listening = await listen(createTestApi({ apiToken: null }).app, { host, port: 0, apiToken: null });
    expect((await fetch(`${listening.url}/health`)).status).toBe(200);
  });
});

test("a port that is taken is told with what to do", async () => {
  await serve(createTestApi());
  const again = listen(createTestApi().app, { host: "127.0.0.1", port: listening!.port, apiToken: TOKEN });
  await expect(again).rejects.toThrow(/another program listens there/);
});
