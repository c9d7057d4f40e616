import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createWorld, createTestApi, TOKEN, type World } from "./support.ts";

let world: World;
let id: string;
let run: string;
beforeAll(async () => {
  world = await createWorld();
  ({ id } = await world.runs.startRun({ repository: world.repository(), issue: 5, by: null, kind: "api" }));
  run = `/runs/${encodeURIComponent(id)}`;
});
afterAll(() => world.stop());

const bearer = { authorization: `Bearer ${TOKEN}` };
const form = (fields: Record<string, string>, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
  body: new URLSearchParams(fields).toString(),
});

/** Logs in as a person does; answers with the cookie. */
async function logIn(app: ReturnType<typeof createTestApi>["app"], login = "ada"): Promise<string> {
  const response = await app.request("/login", form({ token: TOKEN, login, next: run }));
  expect([response.status, response.headers.get("location")]).toEqual([303, run]);
  const cookie = response.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/HttpOnly/i);
  expect(cookie).toMatch(/SameSite=Strict/i);
  return cookie.split(";")[0]!;
}

async function formKey(app: ReturnType<typeof createTestApi>["app"], cookie: string): Promise<string> {
  const page = await (await app.request(run, { headers: { cookie } })).text();
  return /name="key" value="([^"]+)"/.exec(page)?.[1] ?? "";
}

describe("the pages", () => {
  test("tell the runs, and one run's story", async () => {
    const { app } = createTestApi({ runs: world.runs });
    const story = await (await app.request(run, { headers: bearer })).text();
    for (const said of [
      "Awaits approval",
      "Start it at 0.",
      "npm test",
      "$0.42",
      "/pull/8",
      "coder",
      "namespaces/default/workflows",
    ]) {
      expect(story).toContain(said);
    }
    expect((await app.request(`/runs/${id}`, { headers: bearer })).status).toBe(200);
  });

  test("list the runs with whom they wait for", async () => {
    const view = await world.runs.getRun(id);
    const { app } = createTestApi({ runs: { ...world.runs, listRuns: async () => [view!] } });
    const list = await (await app.request("/", { headers: bearer })).text();
    for (const said of [run, "a person to approve the merge", "1 under way", "$0.42", "#8"])
      expect(list).toContain(said);
  });

  test("show what strangers wrote as text, and links only to the web", async () => {
    const view = (await world.runs.getRun(id))!;
    const hostile = {
      ...view,
      title: '"><img src=x onerror=alert(1)>',
      pullRequest: { number: 8, url: "javascript:alert(1)", headSha: "a".repeat(40) },
    };
    const { app } = createTestApi({
      runs: { ...world.runs, getRun: async () => hostile, listRuns: async () => [hostile] },
    });
    for (const path of ["/", run]) {
      const page = await (await app.request(path, { headers: bearer })).text();
      expect(page).toContain("&lt;img src=x onerror=alert(1)&gt;");
      expect(page).not.toMatch(/<img|<script>|href="javascript:/);
    }
  });

  test("run no script but ours, stand in no frame, and are not kept", async () => {
    const { app } = createTestApi({ runs: world.runs });
    const { headers } = await app.request(run, { headers: bearer });
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  test("are closed without a token: the login form is all that is seen", async () => {
    const { app } = createTestApi({ runs: world.runs });
    for (const headers of [
      {},
      { authorization: "Bearer wrong" },
      { cookie: "mergewright_session=YWRh.9999999999.aaaa" },
    ]) {
      const response = await app.request(run, { headers });
      const page = await response.text();
      expect(response.status).toBe(401);
      expect(page).toContain("API token");
      expect(page).not.toContain("Start it at 0.");
    }
  });

  test("say so when there is no such run", async () => {
    const { app } = createTestApi({ runs: world.runs });
    const response = await app.request("/runs/issue%2Facme%2Fnowhere%2F1", { headers: bearer });
    expect([response.status, await response.text()]).toEqual([404, expect.stringContaining("There is no such run")]);
  });

  test("are read only without an API token, and say how to approve", async () => {
    const { app } = createTestApi({ runs: world.runs, apiToken: null });
    const page = await (await app.request(`http://localhost:8000${run}`)).text();
    expect(page).toContain("temporal workflow signal");
    expect(page).not.toContain("<form");
    const change = await app.request(`http://localhost:8000${run}/approve`, form({}));
    expect([change.status, await change.text()]).toEqual([403, expect.stringContaining("MERGEWRIGHT_API_TOKEN")]);
  });

  test("serve their style and script under names that change with them", async () => {
    const { app } = createTestApi({ runs: world.runs });
    const page = await (await app.request(run, { headers: bearer })).text();
    const paths = [...page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map((match) => match[1]!);
    expect(paths).toHaveLength(2);
    for (const path of paths) expect((await app.request(path)).headers.get("cache-control")).toContain("immutable");
    expect((await app.request("/assets/..%2froutes.ts")).status).toBe(404);
  });
});

describe("logging in", () => {
  test("needs the token and a GitHub login", async () => {
    const { app } = createTestApi({ runs: world.runs });
    expect((await app.request("/login", form({ token: "wrong", login: "ada" }))).status).toBe(401);
    expect((await app.request("/login", form({ token: TOKEN, login: "a b" }))).status).toBe(401);
    expect((await app.request("/login", form({}))).status).toBe(401);
    await logIn(app);
  });

  test.each(["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])(
    "leads nowhere else, not to %s",
    async (next) => {
      const { app } = createTestApi({ runs: world.runs });
      const response = await app.request("/login", form({ token: TOKEN, login: "ada", next }));
      expect(response.headers.get("location")).toBe("/");
    },
  );

  test("is not done for somebody by another site", async () => {
    const { app } = createTestApi({ runs: world.runs });
    const response = await app.request(
      "/login",
      form({ token: TOKEN, login: "eve" }, { "sec-fetch-site": "cross-site" }),
    );
    expect(response.status).toBe(403);
  });

  test("lasts a working day, and ends with another token", async () => {
    let time = Date.parse("2026-01-01T08:00:00Z");
    const now = () => new Date(time);
    const { app } = createTestApi({ runs: world.runs, now });
    const cookie = await logIn(app);
    const other = createTestApi({ runs: world.runs, now, apiToken: "another" });
    expect((await other.app.request(run, { headers: { cookie } })).status).toBe(401);
    time += 11 * 3_600_000;
    expect((await app.request(run, { headers: { cookie } })).status).toBe(200);
    time += 2 * 3_600_000;
    expect((await app.request(run, { headers: { cookie } })).status).toBe(401);
  });

  test("cannot be changed into somebody else's session", async () => {
    const { app } = createTestApi({ runs: world.runs });
    const [name, value] = (await logIn(app)).split("=") as [string, string];
    const forged = `${name}=${Buffer.from("eve").toString("base64url")}.${value.split(".").slice(1).join(".")}`;
    expect((await app.request(run, { headers: { cookie: forged } })).status).toBe(401);
  });

  test("can be undone", async () => {
    const { app } = createTestApi({ runs: world.runs });
    const cookie = await logIn(app);
    expect((await app.request("/logout", form({ key: "guess" }, { cookie }))).status).toBe(403);
    const out = await app.request("/logout", form({ key: await formKey(app, cookie) }, { cookie }));
    expect(out.headers.get("set-cookie")).toMatch(/mergewright_session=;.*Max-Age=0/i);
  });
});

describe("the buttons of a run", () => {
  test("say who pressed them, and show a refusal on the page", async () => {
    const { app } = createTestApi({ runs: world.runs });
    const cookie = await logIn(app, "stranger");
    const refused = await app.request(
      `${run}/approve`,
      form({ key: await formKey(app, cookie), sha: "a".repeat(40) }, { cookie }),
    );
    expect([refused.status, await refused.text()]).toEqual([
      409,
      expect.stringContaining("@stranger has no permission."),
    ]);

    const ada = await logIn(app);
    const paused = await app.request(`${run}/pause`, form({ key: await formKey(app, ada) }, { cookie: ada }));
    expect([paused.status, paused.headers.get("location")]).toEqual([303, run]);
    expect((await world.runs.getRun(id))?.phase).toBe("paused");
    await app.request(`${run}/resume`, form({ key: await formKey(app, ada) }, { cookie: ada }));
  });

  test("are pressed by nobody else: not without session, form key, or from another site", async () => {
    const { app } = createTestApi({ runs: world.runs });
    const cookie = await logIn(app);
    const key = await formKey(app, cookie);
    const press = async (fields: Record<string, string>, headers: Record<string, string>) =>
      (await app.request(`${run}/reject`, form({ reason: "no", ...fields }, headers))).status;
    expect(await press({ key }, {})).toBe(401);
    expect(await press({}, { cookie })).toBe(403);
    expect(await press({ key: `${key}x` }, { cookie })).toBe(403);
    expect(await press({ key }, { cookie, "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await press({ key }, { cookie, origin: "https://evil.example", host: "localhost:8000" })).toBe(403);
    expect(await press({ key }, { cookie, origin: "null", host: "localhost:8000" })).toBe(403);
    expect((await world.runs.getRun(id))?.outcome).toBeNull();
  });

  test("are addresses that lead back to the run when opened", async () => {
    const { app } = createTestApi({ runs: world.runs });
    const response = await app.request(`${run}/approve`, { headers: bearer });
    expect([response.status, response.headers.get("location")]).toEqual([303, run]);
  });
});
