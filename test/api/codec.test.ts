/** The codec server, asked as the Web UI asks it, and by the real `temporal` command line. */
import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listen, type Listening } from "../../api/server.ts";
import { dataConverterFor, type PayloadConfig } from "../../workers/payloads/data-converter.ts";
import { payloadReader } from "../../workers/payloads/reader.ts";
import { temporalAddress, temporalCli, temporalClient } from "../support/temporal.ts";
import { createTestApi, TOKEN } from "./support.ts";

const WEB_UI = "http://127.0.0.1:8233";
const SECRET = "the-words-of-a-customer";
const directory = mkdtempSync(join(tmpdir(), "codec-test-"));
const config: PayloadConfig = {
  artifacts: { kind: "file", url: "", directory },
  payloadKeys: [{ id: "k1", key: randomBytes(32), written: "" }],
  inlinePayloadBytes: 2048,
};
const workflowId = `codec/${randomUUID()}`;
const parts = {
  payloads: payloadReader(config),
  links: { temporalWebUi: WEB_UI, namespace: "default", githubWeb: "https://github.com" },
};
let server: Listening;

beforeAll(async () => {
  server = await listen(createTestApi(parts).app, { host: "127.0.0.1", port: 0, apiToken: TOKEN });
  const client = await temporalClient({ dataConverter: dataConverterFor(config) });
  // Nobody works on it: its input stands in the history, a small part of it inline and a large one outside.
  await client.workflow.start("nobody", {
    workflowId,
    taskQueue: `nobody-${randomUUID()}`,
    args: [`small ${SECRET}`, `large ${SECRET} `.repeat(500)],
  });
  await client.connection.close();
});
afterAll(async () => {
  const client = await temporalClient();
  await client.workflow.getHandle(workflowId).terminate();
  await client.connection.close();
  await server.close();
  rmSync(directory, { recursive: true });
});

async function temporal(...args: string[]): Promise<string> {
  const given = [...args, "--address", temporalAddress(), "--workflow-id", workflowId];
  const { stdout } = await promisify(execFile)(temporalCli(), given, { maxBuffer: 10_000_000 });
  // In JSON the data of a payload is base64, decrypted or not.
  const data = [...stdout.matchAll(/"data": "([^"]+)"/g)].map(([, text]) => Buffer.from(text!, "base64").toString());
  return [stdout, ...data].join("\n");
}

describe("the temporal command line", () => {
  const asking = () => ["--codec-endpoint", `${server.url}/codec`, "--codec-auth", `Bearer ${TOKEN}`];

  it("shows payloads through it, also those in the artifact store, and nothing without it", async () => {
    const with_ = await temporal("workflow", "show", "--output", "json", ...asking());
    expect(with_).toContain(`small ${SECRET}`);
    expect(with_).toContain(`large ${SECRET} large`);
    expect(await temporal("workflow", "show", "--output", "json")).not.toContain(SECRET);
  });

  it("is refused with another token", async () => {
    const wrong = [...asking().slice(0, 3), "Bearer wrong"];
    const shown = await temporal("workflow", "show", "--output", "json", ...wrong).catch((error: unknown) =>
      String(error),
    );
    expect(shown).not.toContain(SECRET);
  });

  it("sends an encrypted signal through it", async () => {
    await temporal("workflow", "signal", "--name", "said", "--input", `{"text":"${SECRET} too"}`, ...asking());
    expect(await temporal("workflow", "show", "--output", "json")).not.toContain(`${SECRET} too`);
    expect(await temporal("workflow", "show", "--output", "json", ...asking())).toContain(`${SECRET} too`);
  });
});

describe("a browser", () => {
  const body = JSON.stringify({
    payloads: [{ metadata: { encoding: btoa("json/plain") }, data: btoa('"plain"') }],
  });
  const ask = (headers: Record<string, string>, { app } = createTestApi(parts), method = "POST") =>
    app.request("/codec/decode", { method, headers, ...(method === "POST" ? { body } : {}) });
  const token = { authorization: `Bearer ${TOKEN}` };

  it.each([WEB_UI, "http://localhost:8233"])("on the Web UI's page %s is answered", async (origin) => {
    const answer = await ask({ ...token, origin });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(await answer.json()).toEqual(JSON.parse(body));
  });

  it.each(["https://evil.example", "http://127.0.0.1:9999", "null", "https://127.0.0.1:8233"])(
    "on a page of %s is refused, also with the token",
    async (origin) => {
      const answer = await ask({ ...token, origin });
      expect(answer.status).toBe(403);
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      expect((await ask({ origin }, createTestApi(parts), "OPTIONS")).status).toBe(403);
    },
  );

  it("may ask beforehand, without the token", async () => {
    const asked = { origin: WEB_UI, "access-control-request-headers": "content-type,x-namespace" };
    const answer = await ask(asked, createTestApi(parts), "OPTIONS");
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-headers")).toBe("content-type,x-namespace");
  });

  it("without token and session is refused; without a token set, only this machine's own name is answered", async () => {
    expect((await ask({ origin: WEB_UI })).status).toBe(401);
    expect((await ask({ authorization: "Bearer wrong" })).status).toBe(401);
    const open = createTestApi({ ...parts, apiToken: null });
    expect((await ask({ host: "127.0.0.1:8000" }, open)).status).toBe(200);
    expect((await ask({ host: "evil.example" }, open)).status).toBe(403);
    expect((await ask({ host: "127.0.0.1:8000", origin: "https://evil.example" }, open)).status).toBe(403);
  });
});

it.each(["", "{}", '{"payloads":3}', "[", "null"])("what is no list of payloads (%j) is refused", async (body) => {
  const { app } = createTestApi(parts);
  const headers = { authorization: `Bearer ${TOKEN}` };
  expect((await app.request("/codec/decode", { method: "POST", headers, body })).status).toBe(400);
});

it("a key that is not here is named", async () => {
  const other = createTestApi({ ...parts, payloads: payloadReader({ ...config, payloadKeys: [] }) });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const plain = { metadata: { encoding: btoa("json/plain") }, data: btoa('"x"') };
  const [payload] = await parts.payloads.encode([plain]);
  const body = JSON.stringify({ payloads: [payload] });
  const answer = await other.app.request("/codec/decode", { method: "POST", headers, body });
  expect(answer.status).toBe(502);
  expect(await answer.text()).toContain("the key k1, which is not here");
});
