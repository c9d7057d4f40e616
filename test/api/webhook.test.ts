import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { webhookSecrets } from "../../api/signature.ts";
import { ServiceUnavailable } from "../../domain/errors.ts";
import { code, createTestApi, delivery, opened, SECRET, sign } from "./support.ts";

const PATH = "/webhook/github";

describe("a webhook delivery", () => {
  test("that triggers a run is accepted and handed on", async () => {
    const { app, deliveries, counts } = createTestApi();
    const response = await app.request(PATH, delivery(opened(), { guid: "guid-1" }));
    expect(response.status).toBe(202);
    expect(deliveries).toEqual([
      expect.objectContaining({
        guid: "guid-1",
        repository: "Acme/Shop",
        intent: expect.objectContaining({ kind: "start", issue: 5 }),
      }),
    ]);
    expect(counts.snapshot()).toEqual({ webhook: { accepted: 1 } });
  });

  test("that is known but means nothing is answered with the reason, counted and logged", async () => {
    const { app, deliveries, counts, logged } = createTestApi();
    const response = await app.request(PATH, delivery(opened("Acme/Shop", { labels: [] })));
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ ignored: expect.stringContaining("label mergewright") });
    expect(deliveries).toEqual([]);
    expect(counts.snapshot()).toEqual({ webhook: { ignored: 1 } });
    expect(logged).toEqual([expect.stringContaining("label mergewright")]);
  });

  test.each([
    ["an unknown event", { event: "sponsorship" }, "{}", 204],
    ["an unknown action", { event: "issues" }, '{"action":"pinned"}', 204],
    ["a ping", { event: "ping" }, '{"zen":"Keep it logically awesome."}', 202],
    ["a suspended installation", { event: "installation" }, '{"action":"suspend"}', 202],
  ])("that is %s is fine", async (_what, sent, body, status) => {
    const { app, deliveries } = createTestApi();
    expect((await app.request(PATH, delivery(body, sent))).status).toBe(status);
    expect(deliveries).toEqual([]);
  });

  test.each([
    ["emoji and right-to-left text", { title: "🐛 שגיאה", body: "مرحبا 👋" }],
    ["a null body, no title and a deleted author", { title: "", body: null, user: null }],
    ["a body of a megabyte", { body: "x".repeat(1024 * 1024) }],
  ])("with %s is accepted", async (_what, issue) => {
    const { app, deliveries } = createTestApi();
    expect((await app.request(PATH, delivery(opened("Acme/Shop", issue)))).status).toBe(202);
    expect(deliveries).toHaveLength(1);
  });
});

describe("a signature", () => {
  const body = opened();
  const right = sign(body);
  test.each([
    ["is missing", ""],
    ["is wrong", sign(`${body} `)],
    ["is made with another secret", sign(body, "not ours")],
    ["is cut", right.slice(0, -1)],
    ["is longer", `${right}0`],
    ["is 5 kB long", `sha256=${"a".repeat(5000)}`],
    ["is in upper case", right.toUpperCase()],
    ["has its digits in upper case", `sha256=${right.slice(7).toUpperCase()}`],
    ["lacks its prefix", right.slice(7)],
    ["has no ASCII", "sha256=é"],
  ])("that %s is refused", async (_what, signature) => {
    const { app, deliveries } = createTestApi();
    const response = await app.request(PATH, delivery(body, { headers: { "x-hub-signature-256": signature } }));
    expect(response.status).toBe(401);
    expect(await code(response)).toBe("bad-signature");
    expect(deliveries).toEqual([]);
  });

  test("by SHA-1 alone is refused", async () => {
    const { app } = createTestApi();
    const request = delivery(body);
    const headers = new Headers(request.headers as Record<string, string>);
    headers.delete("x-hub-signature-256");
    headers.set("x-hub-signature", `sha1=${createHmac("sha1", SECRET).update(body).digest("hex")}`);
    expect((await app.request(PATH, { ...request, headers })).status).toBe(401);
  });

  test("is judged before the body is read as JSON", async () => {
    const { app } = createTestApi();
    const response = await app.request(
      PATH,
      delivery("{not json", { headers: { "x-hub-signature-256": sign("other") } }),
    );
    expect(response.status).toBe(401);
  });

  test("must be made with the secret of the account that owns the repository", async () => {
    const { app, deliveries } = createTestApi({ secretsFor: webhookSecrets(SECRET, new Map([["Globex", "theirs"]])) });
    const send = async (repository: string, secret: string) => {
      const text = opened(repository);
      return (await app.request(PATH, delivery(text, { headers: { "x-hub-signature-256": sign(text, secret) } })))
        .status;
    };
    expect(await send("Acme/Shop", SECRET)).toBe(202);
    expect(await send("globex/web", "theirs")).toBe(202);
    expect(await send("globex/web", SECRET)).toBe(401);
    expect(await send("Acme/Shop", "theirs")).toBe(401);
    expect(deliveries.map((each) => each.repository)).toEqual(["Acme/Shop", "globex/web"]);
  });

  test("that is one owner's has no repository forgotten that was another's with a secret of its own", async () => {
    const { app, deliveries } = createTestApi({ secretsFor: webhookSecrets(SECRET, new Map([["Globex", "theirs"]])) });
    const moved = (login: string): string =>
      JSON.stringify({
        action: "transferred",
        repository: { full_name: "Acme/Shop" },
        sender: { login: "ada", id: 7, type: "User" },
        changes: { owner: { from: { organization: { login } } } },
      });
    const foreign = await app.request(PATH, delivery(moved("Globex"), { event: "repository" }));
    expect(await foreign.json()).toEqual({ ignored: expect.stringContaining("not that of Globex/Shop") });
    expect(deliveries).toEqual([]);
    expect((await app.request(PATH, delivery(moved("Umbrella"), { event: "repository" }))).status).toBe(202);
    expect(deliveries).toMatchObject([{ intent: { kind: "forget", repositories: ["Umbrella/Shop"] } }]);
  });

  test("that is one owner's moves nothing that was another's with a secret of its own", async () => {
    const { app, deliveries } = createTestApi({ secretsFor: webhookSecrets(SECRET, new Map([["Globex", "theirs"]])) });
    const renamed = (from: string, login: string): string =>
      JSON.stringify({
        action: "renamed",
        account: { login },
        sender: { login: "ada", id: 7, type: "User" },
        changes: { login: { from } },
      });
    const send = (text: string) => app.request(PATH, delivery(text, { event: "installation_target" }));
    for (const [from, to] of [
      ["Globex", "Acme"],
      ["Acme", "Globex"],
    ] as const)
      expect(await (await send(renamed(from, to))).json()).toEqual({
        ignored: expect.stringContaining("not that of Globex"),
      });
    expect(deliveries).toEqual([]);
    expect((await send(renamed("Umbrella", "Acme"))).status).toBe(202);
    expect(deliveries).toMatchObject([{ intent: { kind: "rename", from: "Umbrella", to: "Acme" } }]);
  });

  test("cannot be checked without a secret, and the answer says what to set", async () => {
    const { app } = createTestApi({ secretsFor: webhookSecrets(null) });
    const response = await app.request(PATH, delivery(body));
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("GITHUB_WEBHOOK_SECRET");
  });
});

describe("a body that is not as it should be", () => {
  const nested = "[".repeat(200_000) + "]".repeat(200_000);
  test.each([
    ["malformed JSON", "{", "bad-json"],
    ["an empty body", "", "bad-json"],
    ["invalid UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), "bad-json"],
    ["200,000 nested arrays", nested, "bad-json"],
    ["200,000 nested arrays inside an issue", `{"action":"opened","issue":${nested}}`, "bad-json"],
    ["a list", "[]", "bad-payload"],
    ["null", "null", "bad-payload"],
    ["an issue of the wrong type", '{"action":"opened","issue":[],"repository":{"full_name":"a/b"}}', "bad-payload"],
    ["a repository name that is none", opened("../../etc"), "bad-payload"],
  ])("is refused: %s", async (_what, body, expected) => {
    const { app, deliveries } = createTestApi();
    const response = await app.request(PATH, delivery(body));
    expect(response.status).toBe(400);
    expect(await code(response)).toBe(expected);
    expect(deliveries).toEqual([]);
  });

  test("does no harm with keys named __proto__", async () => {
    const { app, deliveries } = createTestApi();
    const body = opened().replace("{", '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},');
    expect((await app.request(PATH, delivery(body))).status).toBe(202);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(JSON.stringify(deliveries)).not.toContain("polluted");
  });

  test("is refused as a form", async () => {
    const { app } = createTestApi();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect((await app.request(PATH, delivery(`payload=${encodeURIComponent(opened())}`, { headers }))).status).toBe(
      415,
    );
  });

  test.each([
    ["no delivery id", { "x-github-delivery": "" }, "no-delivery-id"],
    ["a delivery id that is a path", { "x-github-delivery": "../x y" }, "no-delivery-id"],
    ["no event", { "x-github-event": "" }, "no-event"],
  ])("is refused with %s", async (_what, headers, expected) => {
    const { app } = createTestApi();
    const response = await app.request(PATH, delivery(opened(), { headers }));
    expect([response.status, await code(response)]).toEqual([400, expected]);
  });
});

test("a delivery that Temporal cannot take is refused with 503, so that it is known as lost", async () => {
  const intake = {
    accept: async () => Promise.reject(new ServiceUnavailable("Temporal", "Temporal did not take in the delivery.")),
  };
  const { app, counts } = createTestApi({ intake });
  expect((await app.request(PATH, delivery(opened()))).status).toBe(503);
  expect(counts.snapshot()).toEqual({ webhook: { "temporal-unavailable": 1 } });
});

test("only POST is for webhooks", async () => {
  const { app } = createTestApi();
  expect((await app.request(PATH, { headers: { authorization: "Bearer a-token-of-our-own" } })).status).toBe(405);
});
