/** Group A: bodies, contents and callers of every kind, over real sockets, to the product as a process. */
import { createServer, connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createAccess } from "../../api/access.ts";
import { SESSION_COOKIE } from "../../api/guard.ts";
import { startProduct } from "../../demo/product.ts";

import { reaches } from "../e2e/support.ts";
import { freePort } from "../../workers/temporal-process.ts";
import { pour } from "../support/pour.ts";
import { API_TOKEN, GLOBEX_SECRET, reject, webhookStage } from "./webhook-stage.ts";
import { hasRun, pullsOpened, resultOfDelivery } from "./standing-stage.ts";
import { changed, headersOf, openIssue, send, approvalOf } from "./webhook-delivery.ts";

const LIMIT_MS = 180_000;
const standing = webhookStage();

const bearer = { authorization: `Bearer ${API_TOKEN}` };
const MEGABYTE = 1024 * 1024;

describe("a body", () => {
  it("A11: 26 MB by content-length and 27 MB in chunks are refused with 413", async () => {
    const { stage } = standing();
    const headers = headersOf(stage, "");
    const part = new Uint8Array(MEGABYTE).fill(0x20);
    const declared = await pour(stage.url, { ...headers, "content-length": String(26 * MEGABYTE) }, [part]);
    const chunked = await pour(
      stage.url,
      { ...headers, "transfer-encoding": "chunked" },
      Array.from({ length: 27 }, () => part),
    );
    expect([declared, chunked]).toEqual([413, 413]);
  });

  it(
    "A12: a valid payload of 24 MB is answered well under 10 s, and its run starts",
    async () => {
      const at = standing();
      const { number, opened } = await openIssue(at.stage);
      const large = changed(opened, {}, { body: "x".repeat(24 * MEGABYTE) });
      const sent = await send(at.stage, large);
      expect(sent.status).toBe(202);
      expect(sent.durationMs).toBeLessThan(6_000);
      expect(await resultOfDelivery(at, sent.guid)).toContain("started issue/");
      await reaches(at.stage, number, "its first phase", (run) => run.phase !== "received");
      await reject(at.stage, number);
    },
    LIMIT_MS,
  );

  it("A13: malformed JSON, invalid UTF-8, 200,000 nested arrays and __proto__ keys do no harm", async () => {
    const at = standing();
    const { number, opened } = await openIssue(at.stage);
    const nested = "[".repeat(200_000) + "]".repeat(200_000);
    const bad = [
      "{",
      "",
      '{"action":"opened",',
      new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      nested,
      `{"action":"opened","issue":${nested}}`,
      "null",
      "[]",
      '{"action":"opened","issue":[],"repository":{"full_name":"a/b"}}',
    ];
    for (const body of bad) {
      const sent = await send(at.stage, body);
      expect(sent.status).toBe(400);
      expect(await resultOfDelivery(at, sent.guid)).toBeNull();
    }
    const polluted = changed(opened, { action: "pinned" }).replace(
      "{",
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},',
    );
    expect((await send(at.stage, polluted)).status).toBe(204);
    expect(await hasRun(at, number)).toBe(false);
  });

  it("A14: a form-encoded body is refused with 415", async () => {
    const at = standing();
    const { number, opened } = await openIssue(at.stage);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const sent = await send(at.stage, `payload=${encodeURIComponent(opened.payload)}`, { headers });
    expect(sent.status).toBe(415);
    expect(await hasRun(at, number)).toBe(false);
  });

  it("A15: a body that never ends is closed by our own time limit, and others are answered meanwhile", async () => {
    const { stage } = standing();
    const { hostname, port } = new URL(stage.url);
    const socket = connect(Number(port), hostname);
    let answer = "";
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()).on("error", () => undefined));
    socket.on("data", (data) => (answer += data.toString()));
    const lines = Object.entries(headersOf(stage, "")).map(([name, value]) => `${name}: ${value}`);
    socket.write(
      `POST /webhook/github HTTP/1.1\r\nhost: ${hostname}\r\ntransfer-encoding: chunked\r\n${lines.join("\r\n")}\r\n\r\n`,
    );
    const drip = setInterval(() => socket.write("1\r\n \r\n"), 500);
    const started = performance.now();
    expect((await fetch(`${stage.url}/health`)).status).toBe(200);
    await Promise.race([closed, sleep(45_000)]);
    clearInterval(drip);
    const seconds = (performance.now() - started) / 1_000;
    expect(socket.destroyed).toBe(true);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(seconds).toBeGreaterThan(20);
    expect(seconds).toBeLessThan(40);
  });
});

it(
  "A16: while Temporal is unreachable a webhook is answered with 5xx within 10 s, so that GitHub shows it as failed",
  async () => {
    const { stage } = standing();
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const hanging = (silent.address() as { port: number }).port;
    const { opened } = await openIssue(stage);
    try {
      await Promise.all(
        [await freePort(), hanging].map(async (temporal) => {
          const port = await freePort();
          const api = startProduct({
            command: ["api"],
            cwd: stage.folder,
            logFile: join(stage.folder, `api-${port}.log`),
            env: {
              MERGEWRIGHT_HOME: join(stage.folder, `home-${port}`),
              PORT: String(port),
              TEMPORAL_ADDRESS: `127.0.0.1:${temporal}`,
              GITHUB_API_URL: stage.github.apiUrl,
              GITHUB_TOKEN: "played",
              GITHUB_WEBHOOK_SECRET: stage.webhookSecret,
              GLOBEX_SECRET,
            },
          });
          try {
            const url = `http://127.0.0.1:${port}`;
            const lives = () =>
              fetch(`${url}/health`).then(
                (answer) => answer.status,
                () => 0,
              );
            await expect.poll(lives, { timeout: 60_000, interval: 200 }).toBe(200);
            const answers = await Promise.all(Array.from({ length: 5 }, () => send({ ...stage, url }, opened.payload)));
            for (const { status, durationMs } of answers) {
              expect(status).toBe(503);
              expect(durationMs).toBeLessThan(10_000);
            }
            expect((await fetch(`${url}/ready`)).status).toBe(503);
            expect(await lives()).toBe(200);
          } finally {
            await api.stop();
          }
        }),
      );
    } finally {
      silent.close();
    }
  },
  LIMIT_MS,
);

describe("content", () => {
  it(
    "A18: a null body, no title, emoji, right-to-left text, 1 MB, a deleted author and a suspended installation are handled",
    async () => {
      const at = standing();
      const { stage } = at;
      const variants: object[] = [
        { body: null },
        { title: "" },
        { title: "🐛 שגיאה בסיכום", body: "مرحبا 👋 \u202Eevil\u202C" },
        { body: "x".repeat(MEGABYTE) },
        { user: null },
      ];
      const runs = await Promise.all(
        variants.map(async (variant) => {
          const { number, opened } = await openIssue(stage);
          const { guid, status } = await send(stage, changed(opened, {}, variant));
          expect(status).toBe(202);
          expect(await resultOfDelivery(at, guid)).toContain("started issue/");
          return number;
        }),
      );
      for (const number of runs) {
        const run = await reaches(stage, number, "its classification", ({ category }) => category !== null);
        expect(run.category).toBe("bug");
        await reject(stage, number);
      }
      // Nobody is left who could have asked for a run.
      const nobody = await openIssue(stage);
      const sent = await send(stage, changed(nobody.opened, { sender: null }));
      expect([sent.status, await hasRun(at, nobody.number)]).toEqual([202, false]);
      const suspended = await send(stage, '{"action":"suspend","installation":{"id":1,"account":{"login":"octo"}}}', {
        event: "installation",
      });
      expect([suspended.status, await resultOfDelivery(at, suspended.guid)]).toEqual([202, null]);
      expect(await at.surroundings.containers()).toEqual([]);
    },
    LIMIT_MS,
  );

  it("A19: a pull request from a fork, or whose head repository was deleted, is ignored with the reason", async () => {
    const at = standing();
    const { stage } = at;
    const { number } = await openIssue(stage);
    const pulls = (await pullsOpened(stage)).length;
    const of = (repo: object | null) => {
      const payload = JSON.parse(approvalOf(stage, number, "c".repeat(40))) as { pull_request: { head: object } };
      return { ...payload, pull_request: { ...payload.pull_request, head: { ...payload.pull_request.head, repo } } };
    };
    const cases = [
      [{ full_name: "eve/little-duration" }, "comes from the fork eve/little-duration"],
      [null, "was deleted"],
    ] as const;
    for (const [repo, reason] of cases) {
      for (const [event, payload] of [
        ["pull_request_review", of(repo)],
        ["pull_request", { ...of(repo), action: "synchronize" }],
        ["pull_request", { ...of(repo), action: "closed" }],
      ] as const) {
        const sent = await send(stage, JSON.stringify(payload), { event });
        expect([sent.status, sent.text]).toEqual([202, expect.stringContaining(reason)]);
        expect(await resultOfDelivery(at, sent.guid)).toBeNull();
      }
    }
    expect(await pullsOpened(stage)).toHaveLength(pulls);
  });
});

it("A20: the API refuses bad, expired and foreign tokens, wrong JSON and too many requests, and caps a huge page", async () => {
  const { stage } = standing();
  const ask = (path: string, init: RequestInit = {}) => fetch(`${stage.url}${path}`, init);
  const status = async (path: string, init: RequestInit = {}) => (await ask(path, init)).status;
  const post = (body: string) => ({ method: "POST", body, headers: { ...bearer, "content-type": "application/json" } });

  expect(await status("/api/tasks", { headers: bearer })).toBe(200);
  for (const authorization of ["", "Bearer ", "Bearer wrong", `Bearer ${API_TOKEN}x`, `Basic ${API_TOKEN}`])
    expect([authorization, await status("/api/tasks", { headers: { authorization } })]).toEqual([authorization, 401]);
  const yesterday = createAccess(API_TOKEN, () => new Date(Date.now() - 86_400_000)).openSession("ada");
  const foreign = createAccess("another server's token", () => new Date()).openSession("ada");
  const valid = createAccess(API_TOKEN, () => new Date()).openSession("ada");
  const page = async (session: string) =>
    (await ask("/", { headers: { cookie: `${SESSION_COOKIE}=${session}` }, redirect: "manual" })).status;
  expect(await page(valid)).toBe(200);
  for (const session of [yesterday, foreign]) expect(await page(session)).not.toBe(200);

  for (const path of ["/api/tasks/issue%2Facme%2Fnowhere%2F1", "/api/tasks/delivery%2F1", "/api/nothing"])
    expect(await status(path, { headers: bearer })).toBe(404);
  for (const body of [
    "{",
    "",
    "[]",
    '{"issue":5}',
    '{"repository":"../x","issue":5}',
    '{"repository":"a/b","issue":"5"}',
  ])
    expect([body, await status("/api/tasks", post(body))]).toEqual([body, 422]);
  expect(await status("/api/tasks?limit=many", { headers: bearer })).toBe(422);
  const huge = await ask("/api/tasks?limit=1000000000", { headers: bearer });
  expect(huge.status).toBe(200);
  expect(((await huge.json()) as unknown[]).length).toBeLessThanOrEqual(200);

  const flood = await Promise.all(Array.from({ length: 300 }, () => status("/api/nothing", { headers: bearer })));
  expect(flood).toContain(429);
  expect(flood.every((each) => each === 404 || each === 429)).toBe(true);
  const refused = await ask("/api/nothing", { headers: bearer });
  expect(Number(refused.headers.get("retry-after") ?? "1")).toBeGreaterThan(0);
  // Deliveries are not held up by it.
  expect((await send(stage, "{}", { event: "sponsorship" })).status).toBe(204);
  await sleep(6_000);
  expect(await status("/api/tasks", { headers: bearer })).toBe(200);
});
