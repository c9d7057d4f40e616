import { describe, expect, it } from "vitest";
import { checkGitHub, createForge, type ForgeOptions } from "../../activities/adapters/github/forge.ts";
import type { Forge } from "../../domain/ports.ts";
import { kindOf } from "../../activities/adapters/github/doctor.ts";
import { asked, forgeOptions, makeKey, openedPull, REPOSITORY, type Setting, setting } from "./github.ts";

const KEY = makeKey();

async function asApp(installedOn = ["acme"]): Promise<Setting & { app: ForgeOptions; installation: number }> {
  const at = await setting();
  const { id, installations } = await at.people.addApp({ slug: "mergewright", publicKey: KEY.publicKey, installedOn });
  // A line of an `.env` file.
  const privateKey = KEY.privateKey.replaceAll("\n", "\\n");
  const app = forgeOptions(at.server, at.wire, { auth: { kind: "app", appId: id, privateKey } });
  return { ...at, app, forge: createForge(app), installation: installations[0] ?? 0 };
}

describe("as a GitHub App", () => {
  it("speaks as its bot, with one token for many requests", async () => {
    const { forge, people } = await asApp();
    await people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    expect(await forge.viewer(REPOSITORY)).toMatchObject({ login: "mergewright[bot]", kind: "app" });
    const comment = await forge.putComment(REPOSITORY, 1, { marker: "<!-- m -->", body: "Ours", id: null });
    expect((await forge.findComment(REPOSITORY, 1, "<!-- m -->"))?.id).toBe(comment.id);
    expect(await forge.gitToken(REPOSITORY)).toMatch(/^ghs_/);
    expect(await asked(people, "POST", /access_tokens$/)).toBe(1);
  });

  it("makes one check run and brings it to its end", async () => {
    const at = await asApp();
    const { sha } = await openedPull(at);
    const report = { kind: "check-run" as const, title: "Verified", summary: "All good", url: null, externalId: "k" };
    await at.people.fault({ method: "POST", path: "/check-runs$", when: "after", status: 502 });
    await at.forge.report(REPOSITORY, sha, { ...report, state: "pending" });
    await at.forge.report(REPOSITORY, sha, { ...report, state: "success" });
    const checks = await at.forge.checks(REPOSITORY, sha);
    expect(checks).toMatchObject([{ name: "mergewright", state: "success", summary: "All good", ours: true }]);
    expect(await asked(at.people, "POST", /\/check-runs$/)).toBe(1);
  });

  it("mints a token anew when the hour is over, once", async () => {
    const { forge, people } = await asApp();
    await forge.repository(REPOSITORY);
    await people.expireInstallationTokens();
    await forge.repository(REPOSITORY);
    expect(await asked(people, "POST", /access_tokens$/)).toBe(2);
    await people.fault({ path: "/repos/acme/widget$", status: 401, times: 9 });
    await expect(forge.repository(REPOSITORY)).rejects.toMatchObject({ name: "AccessDenied" });
    expect(await asked(people, "POST", /access_tokens$/)).toBe(3);
  });

  it("finds a repository where it was installed anew", async () => {
    const { forge, people, app } = await asApp();
    await forge.repository(REPOSITORY);
    const found = await people.fault({ method: "POST", path: "access_tokens$", status: 404 });
    await people.expireInstallationTokens();
    await forge.repository(REPOSITORY);
    expect(found.id).toBeGreaterThan(0);
    expect(app.auth.kind).toBe("app");
  });

  it("says where it is not installed, and that it is suspended", async () => {
    const nowhere = await asApp([]);
    await expect(nowhere.forge.repository(REPOSITORY)).rejects.toMatchObject({
      name: "AccessDenied",
      message: /not installed on acme\/widget/,
    });
    const { forge, people, installation } = await asApp();
    await people.suspendInstallation(installation, true);
    await expect(forge.repository(REPOSITORY)).rejects.toMatchObject({ name: "AccessDenied", message: /suspended/ });
    await people.suspendInstallation(installation, false);
    expect(await forge.repository(REPOSITORY)).toMatchObject({ fullName: REPOSITORY });
  });

  it.each<[string, (forge: Forge) => Promise<unknown>, unknown]>([
    ["its API", (forge) => forge.repository(REPOSITORY), expect.objectContaining({ fullName: REPOSITORY })],
    ["a token for Git", (forge) => forge.gitToken(REPOSITORY), expect.stringMatching(/^ghs_/)],
  ])("works on a machine whose clock is wrong by an hour, when it asks first for %s", async (_what, ask, expected) => {
    const { app } = await asApp();
    const watched = app.fetch ?? fetch;
    const late = new Date(Date.now() - 3_600_000).getTime();
    const realNow = Date.now;
    const started = realNow();
    Date.now = () => late + (realNow() - started);
    try {
      // The server shares our process and clock, so GitHub's date and judgement are played here.
      const forge = createForge({
        ...app,
        fetch: async (url, init) => {
          Date.now = realNow;
          const answer = await watched(url, init).finally(() => (Date.now = () => late + (realNow() - started)));
          const headers = new Headers(answer.headers);
          headers.set("date", new Date(realNow()).toUTCString());
          return new Response(answer.status === 204 ? null : await answer.arrayBuffer(), {
            status: answer.status,
            headers,
          });
        },
      });
      expect(await ask(forge)).toEqual(expected);
    } finally {
      Date.now = realNow;
    }
  });
});

describe("what the doctor finds", () => {
  it("is good news for a token and an App with all they need", async () => {
    const at = await asApp();
    for (const options of [at.options, at.app]) {
      const found = await checkGitHub({ ...options, repository: REPOSITORY });
      expect(found.map(({ ok }) => ok)).toEqual([true, true, true, true]);
      expect(found.every(({ mend }) => mend === null)).toBe(true);
    }
  });

  it("is told with how to mend it", async () => {
    const at = await asApp([]);
    const wrong = await checkGitHub({ ...at.options, auth: { kind: "token", token: "wrong" }, repository: REPOSITORY });
    expect(wrong[1]).toMatchObject({ ok: false, mend: expect.stringContaining("GITHUB_TOKEN") as string });
    const reader = await checkGitHub({
      ...at.options,
      auth: { kind: "token", token: "played-reader" },
      repository: REPOSITORY,
    });
    expect(reader[2]).toMatchObject({ ok: false, mend: expect.stringContaining("Write") as string });
    const app = await checkGitHub({ ...at.app, repository: REPOSITORY });
    expect(app[2]).toMatchObject({ ok: false });
    const away = await checkGitHub({ ...at.options, apiUrl: "http://127.0.0.1:1" });
    expect(away[1]).toMatchObject({ ok: false, mend: expect.stringContaining("GITHUB_API_URL") as string });
  });

  it.each([
    ["ghp_x", "Classic"],
    ["github_pat_x", "Fine-grained"],
    ["ghs_x", "Installation"],
    ["x", "unknown"],
  ])("a token %s is named %s", (token, word) => {
    expect(kindOf({ kind: "token", token })).toContain(word);
  });
});
