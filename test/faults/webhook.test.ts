/** Group A: what comes to the door, over real sockets, to the product as a process. */
import { randomUUID } from "node:crypto";
import { createServer, connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { createAccess } from "../../api/access.ts";
import { SESSION_COOKIE } from "../../api/guard.ts";
import { listen } from "../../api/server.ts";
import { startProduct } from "../../demo/product.ts";
import type { Stage } from "../../demo/stage.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { createTestApi, delivery, TOKEN } from "../api/support.ts";
import { shortStory } from "../e2e/short-scenario.ts";
import { commentsOf, ended, reaches, signal } from "../e2e/support.ts";
import { freePort } from "../../workers/temporal-process.ts";
import {
  expectDoneOnce,
  hasRun,
  pullsOpened,
  resultOfDelivery,
  runsOf,
  type Standing,
  standingStage,
} from "./standing-stage.ts";
import { changed, headersOf, openIssue, pour, recorded, send, signature } from "./webhook-delivery.ts";

const API_TOKEN = "api-token-of-the-fault-tests-0123456789";
const GLOBEX_SECRET = "webhook-secret-of-globex-0123456789";
const LIMIT_MS = 180_000;

const standing = standingStage(
  {
    env: { MERGEWRIGHT_API_TOKEN: API_TOKEN, GLOBEX_SECRET },
    settings: `tenants:
  globex:
    webhook_secret: { env: GLOBEX_SECRET }
issue_changes:
  unlabeled: cancel
# What no delivery brought is not to be found otherwise.
upkeep:
  reconcile_minutes: 0
`,
    // Whatever the issue says, the story is the same.
    scenarios: [{ ...shortStory({ title: "any" }), matches: () => true }],
  },
  [API_TOKEN, GLOBEX_SECRET],
);
// The test delivers itself.
beforeAll(() => standing().stage.github.people.setWebhook(null));

const bearer = { authorization: `Bearer ${API_TOKEN}` };
const MEGABYTE = 1024 * 1024;

async function reject(stage: Stage, issue: number): Promise<void> {
  await signal(stage, issue, "reject", { by: stage.maintainer, reason: "enough seen" });
  expect((await ended(stage, issue)).outcome?.kind).toBe("declined");
}

/** Refused with 401, and nothing of it reached Temporal. */
async function expectUnheard(at: Standing, issue: number, sent: { guid: string; status: number }): Promise<void> {
  expect(sent.status).toBe(401);
  expect(await resultOfDelivery(at, sent.guid)).toBeNull();
  expect(await hasRun(at, issue)).toBe(false);
}

describe("a signature", () => {
  it("A1: a delivery without a signature is refused and starts nothing", async () => {
    const at = standing();
    const { number, opened } = await openIssue(at.stage);
    for (const header of [null, ""]) {
      const sent = await send(at.stage, opened.payload, { headers: { "x-hub-signature-256": header } });
      await expectUnheard(at, number, sent);
    }
  });

  it("A2: a delivery that is signed with SHA-1 alone is refused and starts nothing", async () => {
    const at = standing();
    const { number, opened } = await openIssue(at.stage);
    const sha1 = signature(at.stage.webhookSecret, opened.payload, "sha1");
    const headers = { "x-hub-signature-256": null, "x-hub-signature": sha1 };
    await expectUnheard(at, number, await send(at.stage, opened.payload, { headers }));
    const disguised = { "x-hub-signature-256": sha1 };
    await expectUnheard(at, number, await send(at.stage, opened.payload, { headers: disguised }));
  });

  it("A3: a wrong, truncated, 5 kB long or upper-case digest is refused and starts nothing", async () => {
    const at = standing();
    const { number, opened } = await openIssue(at.stage);
    const right = signature(at.stage.webhookSecret, opened.payload);
    const wrong = [
      signature(at.stage.webhookSecret, `${opened.payload} `),
      signature("not the secret", opened.payload),
      right.slice(0, -1),
      `${right}0`,
      right.slice("sha256=".length),
      `sha256=${"a".repeat(5_000)}`,
      `${right},${right}`,
      right.toUpperCase(),
      `sha256=${right.slice("sha256=".length).toUpperCase()}`,
    ];
    for (const digest of wrong) {
      const sent = await send(at.stage, opened.payload, { headers: { "x-hub-signature-256": digest } });
      await expectUnheard(at, number, sent);
    }
  });

  it("A4: a signature made with another tenant's secret is refused, and the tenant's own deliveries are not", async () => {
    const at = standing();
    const { number, opened } = await openIssue(at.stage);
    await expectUnheard(at, number, await send(at.stage, opened.payload, { secret: GLOBEX_SECRET }));
    const theirs = JSON.stringify({
      ...(JSON.parse(opened.payload) as object),
      repository: { full_name: "globex/web" },
      action: "pinned",
    });
    expect((await send(at.stage, theirs)).status).toBe(401);
    expect((await send(at.stage, theirs, { secret: GLOBEX_SECRET })).status).toBe(204);
  });
});

describe("repetition and order", () => {
  it(
    "A5: the same delivery 20 times at once starts one workflow, which does everything once",
    async () => {
      const at = standing();
      const { number, opened } = await openIssue(at.stage);
      const guid = randomUUID();
      const sent = await Promise.all(Array.from({ length: 20 }, () => send(at.stage, opened.payload, { guid })));
      expect(sent.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 202));
      expect(await resultOfDelivery(at, guid)).toContain("started issue/");
      const waiting = await reaches(at.stage, number, "its question", (run) => run.waitingFor?.kind === "approval");
      const { headSha } = waiting.pullRequest!;
      await signal(at.stage, number, "approveMerge", { by: at.stage.maintainer, sha: headSha });
      expect((await ended(at.stage, number)).outcome?.kind).toBe("merged");
      await expectDoneOnce(at, number);
      expect(await runsOf(at, `delivery/${guid}`)).toBe(1);
      expect(await runsOf(at, issueWorkflowId(at.stage.repository, number))).toBe(1);
      expect(await at.surroundings.containers()).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    "A6: a redelivery after the workflow has ended is answered, and starts no new run",
    async () => {
      const at = standing();
      const { number, opened } = await openIssue(at.stage);
      expect((await send(at.stage, opened.payload, { guid: opened.guid })).status).toBe(202);
      await reaches(at.stage, number, "its first phase", (run) => run.phase !== "received");
      await reject(at.stage, number);
      const before = (await commentsOf(at.stage, number)).length;
      const again = await send(at.stage, opened.payload, { guid: opened.guid });
      // Temporal may have forgotten the first delivery by then; the run itself still knows.
      const later = await send(at.stage, opened.payload);
      expect([again.status, later.status]).toEqual([202, 202]);
      expect(await resultOfDelivery(at, later.guid)).toContain("older than the end of the last run");
      expect(await runsOf(at, issueWorkflowId(at.stage.repository, number))).toBe(1);
      expect(await commentsOf(at.stage, number)).toHaveLength(before);
    },
    LIMIT_MS,
  );

  it(
    "A7: two delivery ids for the same event, of the repository's hook and the App's, start one workflow",
    async () => {
      const at = standing();
      const { number, opened } = await openIssue(at.stage);
      const both = await Promise.all([send(at.stage, opened.payload), send(at.stage, opened.payload)]);
      expect(both.map(({ status }) => status)).toEqual([202, 202]);
      const results = await Promise.all(both.map(({ guid }) => resultOfDelivery(at, guid)));
      expect(results.filter((result) => result!.startsWith("started "))).toHaveLength(1);
      await reject(at.stage, number);
      expect(await runsOf(at, issueWorkflowId(at.stage.repository, number))).toBe(1);
      const markers = (await commentsOf(at.stage, number)).map(
        ({ body }) => /<!-- mergewright:\S+ run=\S+ -->/.exec(body)?.[0],
      );
      expect(markers).toHaveLength(new Set(markers).size);
    },
    LIMIT_MS,
  );

  it(
    "A8: events that come out of order converge: an early review approves nothing, and what was closed first is not started",
    async () => {
      const at = standing();
      const { stage } = at;
      const closedFirst = await openIssue(stage);
      await stage.github.people.as(stage.maintainer).close(stage.repository, closedFirst.number);
      const closed = await recorded(stage, "issues", "closed", closedFirst.number);
      const gone = await send(stage, closed.payload);
      expect(await resultOfDelivery(at, gone.guid)).toContain("is not running");
      const late = await send(stage, closedFirst.opened.payload);
      expect(await resultOfDelivery(at, late.guid)).toContain("closed by now");
      expect(await hasRun(at, closedFirst.number)).toBe(false);

      const { number, opened } = await openIssue(stage);
      const early = await send(stage, approvalOf(stage, number, "a".repeat(40)), { event: "pull_request_review" });
      expect(early.status).toBe(202);
      expect(await resultOfDelivery(at, early.guid)).toContain("is not running");
      await send(stage, opened.payload);
      await reaches(stage, number, "its work", (run) => run.phase === "working");
      // While the run is at work there is nothing to approve either.
      await send(stage, approvalOf(stage, number, "b".repeat(40)), { event: "pull_request_review" });
      const waiting = await reaches(stage, number, "its question", (run) => run.waitingFor?.kind === "approval");
      expect(waiting.refused).toEqual([expect.objectContaining({ message: "review: approve" })]);
      const { headSha } = waiting.pullRequest!;
      await send(stage, approvalOf(stage, number, headSha), { event: "pull_request_review" });
      expect((await ended(stage, number)).outcome?.kind).toBe("merged");
      await expectDoneOnce(at, number);
    },
    LIMIT_MS,
  );

  it(
    "A9: an issue that is edited, unlabelled, transferred or deleted cancels its run or not as the setting says, and the comment says so",
    async () => {
      const at = standing();
      const { stage } = at;
      const maintainer = stage.github.people.as(stage.maintainer);
      const issues = await Promise.all(
        ["edited", "unlabeled", "transferred", "deleted"].map((title) => openIssue(stage, title)),
      );
      for (const { number, opened } of issues) {
        await send(stage, opened.payload);
        await reaches(stage, number, "its start", () => true);
        await signal(stage, number, "pause", { by: stage.maintainer });
      }
      const [edited, unlabeled, transferred, deleted] = issues.map(({ number }) => number) as [
        number,
        number,
        number,
        number,
      ];
      const path = `/repos/${stage.repository}/issues`;
      await maintainer.rest("PATCH", `${path}/${edited}`, { body: "59.7 s, and 119.7 s." });
      await maintainer.rest("DELETE", `${path}/${unlabeled}/labels/mergewright`);
      await stage.github.people.deleteIssue({ repository: stage.repository, number: deleted, as: stage.maintainer });
      const moved = changed(issues[2]!.opened, { action: "transferred" }, { updated_at: new Date().toISOString() });
      const tell = async (action: string, number: number) =>
        send(stage, (await recorded(stage, "issues", action, number)).payload);
      const told = await Promise.all([
        tell("edited", edited),
        tell("unlabeled", unlabeled),
        tell("deleted", deleted),
        send(stage, moved),
      ]);
      for (const { guid } of told) expect(await resultOfDelivery(at, guid)).toContain("told issue/");

      const cancelled = { kind: "cancelled", reason: expect.stringContaining(`by @${stage.maintainer}`) };
      for (const number of [unlabeled, transferred, deleted])
        expect((await ended(stage, number)).outcome).toEqual(cancelled);
      const said = async (number: number) => (await commentsOf(stage, number)).map(({ body }) => body).join("\n");
      expect(await said(unlabeled)).toContain("the issue lost the label that starts runs");
      expect(await said(transferred)).toContain("the issue was transferred");

      const goesOn = await reaches(stage, edited, "its note", (run) => run.notices.length > 0);
      expect(goesOn.outcome).toBeNull();
      await expect.poll(() => said(edited), { timeout: 30_000 }).toContain("The issue was edited");
      expect(await said(edited)).toContain("The text at the trigger counts");
      await reject(stage, edited);
      expect(await at.surroundings.containers()).toEqual([]);
    },
    LIMIT_MS,
  );

  it("A10: an unknown event, an unknown action and a ping are answered, counted, and start nothing", async () => {
    const at = standing();
    const { number, opened } = await openIssue(at.stage);
    const cases = [
      ["sponsorship", "{}", 204],
      ["issues", changed(opened, { action: "pinned" }), 204],
      ["ping", '{"zen":"Keep it logically awesome."}', 202],
    ] as const;
    for (const [event, body, status] of cases) {
      const sent = await send(at.stage, body, { event });
      expect([event, sent.status]).toEqual([event, status]);
      expect(await resultOfDelivery(at, sent.guid)).toBeNull();
    }
    expect(await hasRun(at, number)).toBe(false);

    const { app, counts } = createTestApi();
    const served = await listen(app, { host: "127.0.0.1", port: 0, apiToken: TOKEN });
    for (const [event, body] of cases) await fetch(`${served.url}/webhook/github`, delivery(body, { event }));
    await served.close();
    expect(counts.snapshot()).toEqual({ webhook: { unknown: 2, ignored: 1 } });
  });
});

/** A maintainer approves the run's pull request at a commit. */
function approvalOf(stage: Stage, issue: number, sha: string): string {
  const repository = { full_name: stage.repository };
  return JSON.stringify({
    action: "submitted",
    repository,
    sender: { login: stage.maintainer, id: 2, type: "User" },
    review: {
      state: "approved",
      body: "",
      commit_id: sha,
      submitted_at: new Date().toISOString(),
      user: { login: stage.maintainer, id: 2, type: "User" },
    },
    pull_request: { number: 9_000, head: { ref: `mergewright/issue-${issue}`, sha, repo: repository } },
  });
}

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
