import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RateLimited, NotFound, ServiceUnavailable } from "../../domain/errors.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { code, createTestApi, createWorld, TOKEN, type World } from "./support.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

const bearer = { authorization: `Bearer ${TOKEN}` };
const post = (body: unknown, headers: Record<string, string> = bearer): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: typeof body === "string" ? body : JSON.stringify(body),
});

describe("the JSON API", () => {
  test("starts a run, tells it, lists it and changes it", async () => {
    const { app } = createTestApi({ runs: world.runs });
    const repository = world.repository();
    const started = await app.request("/api/tasks", post({ repository, issue: 5 }));
    expect(started.status).toBe(202);
    const { id } = (await started.json()) as { id: string };
    expect(id).toBe(issueWorkflowId(repository, 5));

    const encoded = encodeURIComponent(id);
    for (const path of [encoded, id, id.toUpperCase().replace("ISSUE", "issue")]) {
      const told = await app.request(`/api/tasks/${path}`, { headers: bearer });
      expect([told.status, await told.json()]).toEqual([
        200,
        expect.objectContaining({ id, repository, phase: "awaiting-approval" }),
      ]);
    }
    expect(await (await app.request("/api/tasks?limit=3", { headers: bearer })).json()).toEqual(expect.any(Array));

    expect((await app.request(`/api/tasks/${encoded}/pause`, post({ by: "ada" }))).status).toBe(202);
    expect((await app.request(`/api/tasks/${id}/resume`, post({ by: "ada" }))).status).toBe(202);
    const refused = await app.request(`/api/tasks/${encoded}/approve`, post({ by: "stranger" }));
    expect([refused.status, await refused.json()]).toEqual([
      409,
      { error: { code: "refused", message: "@stranger has no permission." } },
    ]);
    const stale = await app.request(`/api/tasks/${encoded}/approve`, post({ by: "ada", sha: "c".repeat(40) }));
    expect(stale.status).toBe(409);
    expect((await app.request(`/api/tasks/${encoded}/reject`, post({ by: "ada" }))).status).toBe(202);
  });

  test("asks GitHub who may start and cancel", async () => {
    const { app } = createTestApi({ runs: world.runs });
    const repository = world.repository();
    expect((await app.request("/api/tasks", post({ repository, issue: 5, by: "stranger" }))).status).toBe(403);
    const { id } = (await (await app.request("/api/tasks", post({ repository, issue: 5, by: "ada" }))).json()) as {
      id: string;
    };
    const cancel = `/api/tasks/${encodeURIComponent(id)}/cancel`;
    expect(await code(await app.request(cancel, post({ by: "stranger" })))).toBe("not-permitted");
    expect((await app.request(cancel, post({ by: "ada" }))).status).toBe(202);
  });

  test.each([
    [new NotFound("repository", "There is no such repository."), 403, "not-permitted"],
    [new ServiceUnavailable("GitHub", "GitHub does not answer."), 503, "github-unavailable"],
    [new RateLimited("GitHub", 1000, "Later."), 503, "github-unavailable"],
  ])("starts nothing in a name that GitHub does not vouch for: %s", async (error, status, expected) => {
    const { app } = createTestApi({ runs: world.runs, permissionOf: () => Promise.reject(error) });
    const response = await app.request("/api/tasks", post({ repository: world.repository(), issue: 5, by: "ada" }));
    expect([response.status, await code(response)]).toEqual([status, expected]);
  });

  test.each([
    ["/api/tasks/issue%2Facme%2Fnowhere%2F1"],
    ["/api/tasks/issue/acme/nowhere/1"],
    ["/api/tasks/delivery%2F1"],
    ["/api/tasks/%zz"],
    ["/api/tasks/..%2F..%2Fetc"],
    ["/api/tasks/"],
    ["/api/nothing"],
  ])("knows nothing at %s", async (path) => {
    const { app } = createTestApi({ runs: world.runs });
    const response = await app.request(path, { headers: bearer });
    expect([response.status, await code(response)]).toEqual([404, "not-found"]);
  });

  test("knows no change of a run that is not there, and no change of that name", async () => {
    const { app } = createTestApi({ runs: world.runs });
    for (const change of ["approve", "reject", "pause", "resume", "cancel", "explode"]) {
      expect((await app.request(`/api/tasks/issue%2Facme%2Fnowhere%2F1/${change}`, post({ by: "ada" }))).status).toBe(
        404,
      );
    }
  });

  test("starts a fork of a run in the name of somebody who may write", async () => {
    const forks: unknown[] = [];
    const fork: World["runs"]["fork"] = async (input) => {
      forks.push(input);
      if (input.turn > 9) return { kind: "refused", reason: "It has taken 9." };
      return { kind: "forked", id: `${input.id}/fork/1` };
    };
    const { app } = createTestApi({ runs: { ...world.runs, fork } });
    const path = "/api/tasks/issue%2Facme%2Fshop%2F1/fork";
    const forked = await app.request(path, post({ by: "ada", turn: 3, instruct: "Smaller." }));
    expect([forked.status, await forked.json()]).toEqual([
      202,
      { id: "issue/acme/shop/1/fork/1", of: "issue/acme/shop/1" },
    ]);
    expect(forks).toEqual([
      expect.objectContaining({ role: "coder", turn: 3, instruct: "Smaller.", by: "ada", replace: false }),
    ]);
    expect((await app.request(path, post({ by: "stranger", turn: 3 }))).status).toBe(403);
    expect((await app.request(path, post({ by: "ada", turn: 10 }))).status).toBe(409);
    for (const body of [{ by: "ada" }, { by: "ada", turn: 0 }, { by: "ada", turn: 1.5 }, { turn: 1 }])
      expect((await app.request(path, post(body))).status).toBe(422);
    expect((await app.request(path, post({ by: "ada", turn: 1, role: "reviewer" }))).status).toBe(422);
    expect(forks).toHaveLength(2);
  });

  test.each([
    ["no JSON", "{"],
    ["nothing", ""],
    ["a list", []],
    ["no repository", { issue: 5 }],
    ["a repository that is none", { repository: "acme", issue: 5 }],
    ["a repository that is a path", { repository: "../x", issue: 5 }],
    ["an issue as a text", { repository: "acme/shop", issue: "5" }],
    ["an issue below one", { repository: "acme/shop", issue: 0 }],
    ["a fraction of an issue", { repository: "acme/shop", issue: 1.5 }],
    ["a login that is none", { repository: "acme/shop", issue: 5, by: "a b" }],
  ])("refuses a task with %s", async (_what, body) => {
    const { app } = createTestApi();
    expect((await app.request("/api/tasks", post(body))).status).toBe(422);
  });

  test.each([
    ["/api/tasks", "PUT", "GET, POST"],
    ["/api/tasks/issue%2Facme%2Fshop%2F1", "DELETE", "GET, POST"],
    ["/api/tasks/issue%2Facme%2Fshop%2F1/approve", "GET", "POST"],
    ["/webhook/github", "GET", "POST"],
    ["/health", "POST", "GET"],
  ])("tells for %s that it does not answer %s, and what it does answer", async (path, method, allowed) => {
    const response = await createTestApi().app.request(path, { method, headers: bearer });
    expect([response.status, response.headers.get("allow")]).toEqual([405, allowed]);
    expect(await response.json()).toMatchObject({ error: { code: "wrong-method" } });
  });

  test("tells all that is wrong with a task in words that say what to write", async () => {
    const { app } = createTestApi();
    const message = async (path: string, body: unknown) =>
      ((await (await app.request(path, post(body))).json()) as { error: { message: string } }).error.message;
    expect(await message("/api/tasks", {})).toBe(
      "repository: must be OWNER/NAME; issue: must be the number of an issue",
    );
    expect(await message("/api/tasks", [])).toBe("body: must be a JSON object");
    expect(await message("/api/tasks/issue%2Facme%2Fshop%2F1/fork", { by: "ada", turn: "last" })).toBe(
      "turn: must be the number of a turn, from 1",
    );
    expect(await message("/api/tasks/issue%2Facme%2Fshop%2F1/aprove", { by: "ada" })).toContain(
      "one of approve, reject, pause, resume, cancel, fork",
    );
    expect(await message("/api/tasks/issue%2Facme%2Fshop%2F1/approve", { by: "ada", Sha: "c".repeat(40) })).toBe(
      'body: an approval takes by and sha, and not "Sha"',
    );
  });

  test.each([
    ["nobody's name", {}],
    ["a commit that is none", { by: "ada", sha: "main" }],
    ["an empty reason", { by: "ada", reason: " " }],
  ])("refuses a change with %s", async (_what, body) => {
    const { app } = createTestApi();
    expect((await app.request("/api/tasks/issue%2Facme%2Fshop%2F1/approve", post(body))).status).toBe(422);
  });

  test("refuses a huge body, a length that is no number, and caps one that is too large", async () => {
    const { app } = createTestApi({ runs: world.runs });
    expect((await app.request("/api/tasks", post(" ".repeat(100_000)))).status).toBe(413);
    expect((await app.request("/api/tasks?limit=many", { headers: bearer })).status).toBe(422);
    const all = await app.request("/api/tasks?limit=1000000000", { headers: bearer });
    expect(((await all.json()) as unknown[]).length).toBeLessThanOrEqual(200);
  });

  test("tells an outage as such and hides what went wrong inside", async () => {
    const away = createTestApi({
      runs: {
        ...world.runs,
        listRuns: () => Promise.reject(new ServiceUnavailable("Temporal", "Temporal did not list the runs.")),
      },
    });
    expect((await away.app.request("/api/tasks", { headers: bearer })).status).toBe(503);
    const broken = createTestApi({
      runs: { ...world.runs, listRuns: () => Promise.reject(new TypeError("secret detail")) },
    });
    const response = await broken.app.request("/api/tasks", { headers: bearer });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret detail");
    expect(broken.logged.join()).toContain("secret detail");
  });
});

describe("the API token", () => {
  const paths = ["/api/tasks", "/api/tasks/issue%2Fa%2Fb%2F1", "/api/anything"];
  test.each([
    ["missing", {}],
    ["wrong", { authorization: "Bearer wrong" }],
    ["longer", { authorization: `Bearer ${TOKEN}x` }],
    ["empty", { authorization: "Bearer " }],
    ["huge", { authorization: `Bearer ${"x".repeat(10_000)}` }],
    ["of another scheme", { authorization: `Basic ${TOKEN}` }],
    ["in a cookie", { cookie: `mergewright_session=${TOKEN}` }],
  ])("that is %s opens nothing", async (_what, headers) => {
    const { app } = createTestApi();
    for (const path of paths) {
      const response = await app.request(path, { headers });
      expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="mergewright"']);
    }
  });

  test("is not asked for by webhook, health and ready", async () => {
    const { app } = createTestApi();
    expect((await app.request("/health")).status).toBe(200);
    expect((await app.request("/ready")).status).toBe(200);
    expect((await app.request("/webhook/github", { method: "POST" })).status).toBe(401);
  });
});

describe("without an API token", () => {
  test("runs can be read from this machine, and nothing can be changed", async () => {
    const { app } = createTestApi({ runs: world.runs, apiToken: null });
    expect((await app.request("http://localhost:8000/api/tasks")).status).toBe(200);
    for (const path of ["/api/tasks", "/api/tasks/issue%2Fa%2Fb%2F1/approve"]) {
      const response = await app.request(
        `http://127.0.0.1:8000${path}`,
        post({ repository: "a/b", issue: 1, by: "ada" }, {}),
      );
      expect(response.status).toBe(403);
      expect(await response.text()).toContain("MERGEWRIGHT_API_TOKEN");
    }
  });

  test.each([
    ["localhost", 200],
    ["localhost:8000", 200],
    ["127.0.0.1:8000", 200],
    ["[::1]:8000", 200],
    ["LOCALHOST", 200],
    ["evil.example", 403],
    ["evil.example:8000", 403],
    ["localhost.evil.example", 403],
    ["127.0.0.1.evil.example", 403],
    ["10.0.0.7:8000", 403],
  ])("the host name %s is answered with %d, so that no page elsewhere can read here", async (host, status) => {
    const { app } = createTestApi({ runs: { ...world.runs, listRuns: async () => [] }, apiToken: null });
    expect((await app.request("/api/tasks?limit=1", { headers: { host } })).status).toBe(status);
    expect((await app.request("/health", { headers: { host } })).status).toBe(200);
  });
});

describe("too many requests", () => {
  test("from one client are refused for a while; deliveries and health are not counted", async () => {
    let time = Date.parse("2026-01-01T00:00:00Z");
    const { app } = createTestApi({ rate: { burst: 3, perSecond: 1 }, now: () => new Date(time) });
    const ask = async () => (await app.request("/api/nothing", { headers: bearer })).status;
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual([404, 404, 404, 429]);
    expect((await app.request("/health")).status).toBe(200);
    expect((await app.request("/webhook/github", { method: "POST" })).status).toBe(401);
    time += 1000;
    expect([await ask(), await ask()]).toEqual([404, 429]);
  });

  test("are fewer when they guess the token", async () => {
    const now = () => new Date("2026-01-01T00:00:00Z");
    const { app } = createTestApi({ rate: { burst: 30, perSecond: 1 }, now });
    const guess = async () => (await app.request("/api/tasks", { headers: { authorization: "Bearer guess" } })).status;
    const answers: number[] = [];
    for (let index = 0; index < 12; index += 1) answers.push(await guess());
    expect(answers.filter((status) => status === 401).length).toBeLessThan(12);
    expect(answers).toContain(429);
  });
});
