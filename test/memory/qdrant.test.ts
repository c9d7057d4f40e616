import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { checkMemory } from "../../cli/checks/memory.ts";
import { checkQdrant } from "../../memory/qdrant.ts";

let server: Server | null = null;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = null;
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The two routes as Qdrant answers them; its root needs no key. */
const qdrant =
  (key: string | null, version = "1.19.0"): RequestListener =>
  (request, response) => {
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (request.url === "/") return answer(200, { title: "qdrant - vector search engine", version, commit: "abc" });
    if (key !== null && request.headers["api-key"] !== key) return answer(401, { status: { error: "Unauthorized" } });
    if (request.url === "/collections")
      return answer(200, { result: { collections: [{ name: "a" }] }, status: "ok", time: 0.001 });
    return answer(404, { status: { error: "Not found" } });
  };

describe("Qdrant", () => {
  test("that is there is told with its version", async () => {
    const url = await serve(qdrant(null));
    expect(await checkQdrant({ url, apiKey: null })).toEqual({
      ok: true,
      version: "1.19.0",
      collections: 1,
      lack: null,
    });
    expect(await checkMemory({ qdrant: { url, apiKey: null, collection: null } })).toMatchObject([
      { state: "ok", what: `${new URL(url).host} answers, version 1.19.0.` },
    ]);
  });

  test.each([
    ["0.11.0", true],
    ["1.18.2", true],
    ["1.19.0-dev", false],
    ["1.20.3", false],
    ["2.0.0", false],
  ])("%s that counts words over all repositories (%s) is told, by the doctor too", async (version, less) => {
    const url = await serve(qdrant(null, version));
    const { lack } = (await checkQdrant({ url, apiKey: null })) as { lack: string | null };
    const [finding] = await checkMemory({ qdrant: { url, apiKey: null, collection: null } });
    expect([lack !== null, finding!.state]).toEqual([less, less ? "warn" : "ok"]);
    if (less) expect(finding!.what).toMatch(/before 1\.19 it counts .* Bring it to 1\.19 or later\./);
  });

  test("lets us in with its key, and without it the check says what to set", async () => {
    const url = await serve(qdrant("right"));
    expect(await checkQdrant({ url, apiKey: "right" })).toMatchObject({ ok: true });
    const refused = await checkQdrant({ url, apiKey: "wrong" });
    expect(refused).toEqual({ ok: false, reason: expect.stringContaining("QDRANT_API_KEY") });
    expect(JSON.stringify(refused)).not.toContain("wrong");
  });

  test("that is not there is told with its address", async () => {
    expect(await checkQdrant({ url: "http://127.0.0.1:1", apiKey: null })).toEqual({
      ok: false,
      reason: expect.stringMatching(/http:\/\/127\.0\.0\.1:1 .*QDRANT_URL/s),
    });
  });

  test("that never answers is given up on", async () => {
    const url = await serve(() => undefined);
    const began = Date.now();
    expect(await checkQdrant({ url, apiKey: null })).toMatchObject({ ok: false });
    expect(Date.now() - began).toBeLessThan(6_000);
  });

  test.each([
    ["no URL at all", "not a url"],
    ["another protocol", "ftp://localhost"],
  ])("at %s is told, not thrown", async (_what, url) => {
    expect(await checkQdrant({ url, apiKey: null })).toMatchObject({ ok: false });
  });

  test("is told apart from another server", async () => {
    const url = await serve((_request, response) => response.end("<html>hello</html>"));
    expect(await checkQdrant({ url, apiKey: null })).toMatchObject({ ok: false });
  });
});
