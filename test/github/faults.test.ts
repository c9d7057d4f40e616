import { describe, expect, it } from "vitest";
import { createForge } from "../../activities/adapters/github/forge.ts";
import type { FaultOrder } from "../../demo/github/faults.ts";
import { asked, BRANCH, forgeOptions, openedPull, REPOSITORY, setting } from "./github.ts";

const COMMENT = { marker: "<!-- mergewright:progress run=k -->", body: "Working", id: null };
const PULL = { head: BRANCH, base: "main", title: "Make it right", body: "Closes #1", draft: true };

/** Far above what an answer takes on a busy machine: all requests of these tests have it. */
const TIME_LIMIT_MS = 3_000;

const lost: { about: string; fault: Omit<FaultOrder, "path"> }[] = [
  { about: "a 502", fault: { status: 502, body: "<html>Bad gateway</html>" } },
  { about: "a broken connection", fault: { drop: true } },
  { about: "a time-out", fault: { delayMs: TIME_LIMIT_MS + 1_000, drop: true } },
  { about: "a page instead of JSON", fault: { status: 200, body: "<html>Hello</html>" } },
];

describe("answers that are lost after the effect", () => {
  it.each(lost)("leave one comment: $about", async ({ fault }) => {
    const { forge, people } = await setting({}, { timeoutMs: TIME_LIMIT_MS, fetch: (url, init) => fetch(url, init) });
    await people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    await people.fault({ method: "POST", path: "/comments$", when: "after", ...fault });
    const made = await forge.putComment(REPOSITORY, 1, COMMENT);
    expect(made.body).toContain("Working");
    expect(await forge.putComment(REPOSITORY, 1, COMMENT)).toEqual(made);
    expect(await asked(people, "POST", /\/comments$/)).toBe(1);
  });

  it("leave one comment when the looking fails as well, three times over", async () => {
    const { forge, people } = await setting();
    await people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    await people.fault({ method: "POST", path: "/comments$", when: "after", status: 502, times: 3 });
    await people.fault({ method: "GET", path: "/comments", status: 502, skip: 1, times: 3 });
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(forge.putComment(REPOSITORY, 1, COMMENT)).rejects.toMatchObject({ name: "ServiceUnavailable" });
    }
    await people.clearFaults();
    await forge.putComment(REPOSITORY, 1, COMMENT);
    expect((await people.ledger()).filter((effect) => effect.route.endsWith("/comments"))).toHaveLength(1);
  });

  it.each(lost)("leave one pull request: $about", async ({ fault }) => {
    const { forge, people } = await setting({}, { timeoutMs: TIME_LIMIT_MS, fetch: (url, init) => fetch(url, init) });
    await people.push({ as: "bot", repository: REPOSITORY, branch: BRANCH, files: { "a.txt": "two\n" } });
    await people.fault({ method: "POST", path: "/pulls$", when: "after", ...fault });
    expect(await forge.openPullRequest(REPOSITORY, PULL)).toMatchObject({ draft: true, state: "open" });
    expect(await asked(people, "POST", /\/pulls$/)).toBe(1);
  });

  it.each(lost)("leave one merge: $about", async ({ fault }) => {
    const at = await setting({}, { timeoutMs: TIME_LIMIT_MS, fetch: (url, init) => fetch(url, init) });
    const { number, sha } = await openedPull(at);
    await at.people.fault({ method: "PUT", path: "/merge$", when: "after", ...fault });
    const result = await at.forge.merge(REPOSITORY, number, { sha, method: "squash" });
    expect(result).toEqual({ kind: "merged", sha: (await at.people.branches(REPOSITORY))["main"] });
    expect(await asked(at.people, "PUT", /\/merge$/)).toBe(1);
  });

  it("leave the draft state as it was asked for", async () => {
    const at = await setting();
    const { number } = await openedPull(at, true);
    await at.people.fault({ method: "POST", path: "^/graphql$", when: "after", status: 502 });
    await at.forge.setDraft(REPOSITORY, number, false);
    expect((await at.forge.pullRequest(REPOSITORY, number)).draft).toBe(false);
  });

  it("leave one status", async () => {
    const at = await setting();
    const { sha } = await openedPull(at);
    await at.people.fault({ method: "POST", path: "/statuses/", when: "after", status: 502 });
    const report = {
      kind: "commit-status",
      state: "success",
      title: "Verified",
      summary: "",
      url: null,
      externalId: "k",
    } as const;
    await at.forge.report(REPOSITORY, sha, report);
    expect(await asked(at.people, "POST", /\/statuses\//)).toBe(1);
  });
});

describe("faults before the effect", () => {
  it("are told as an outage, and nothing is made behind our back", async () => {
    const { forge, people } = await setting();
    await people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    await people.fault({ method: "POST", path: "/comments$", status: 502 });
    await expect(forge.putComment(REPOSITORY, 1, COMMENT)).rejects.toMatchObject({
      name: "ServiceUnavailable",
      service: "GitHub",
    });
    expect(await asked(people, "POST", /\/comments$/)).toBe(1);
  });

  it("end with the time limit of the request", async () => {
    const { forge, people } = await setting({}, { timeoutMs: 200 });
    await people.fault({ path: "/repos/acme/widget$", delayMs: 1000 });
    await expect(forge.repository(REPOSITORY)).rejects.toMatchObject({
      name: "ServiceUnavailable",
      message: /time limit/,
    });
  });

  it("end at once when the caller gives up", async () => {
    const controller = new AbortController();
    const { forge, people } = await setting({}, { signal: () => controller.signal });
    await people.fault({ path: "/repos/acme/widget$", delayMs: 1000 });
    const reading = forge.repository(REPOSITORY);
    setTimeout(() => controller.abort(new Error("cancelled by a person")), 50);
    await expect(reading).rejects.toThrow("cancelled by a person");
  });
});

describe("limits", () => {
  const secondary = {
    message: "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
  };
  const reset = Math.floor(Date.now() / 1000) + 120;

  it.each([
    {
      about: "a secondary limit with retry-after",
      fault: { status: 403, headers: { "retry-after": "9" }, body: secondary },
      least: 9000,
      most: 9000,
    },
    { about: "a secondary limit without", fault: { status: 403, body: secondary }, least: null, most: null },
    { about: "a 429 without", fault: { status: 429 }, least: null, most: null },
    {
      about: "the primary limit",
      fault: {
        status: 403,
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(reset) },
        body: { message: "API rate limit exceeded" },
      },
      least: 60_000,
      most: 130_000,
    },
  ])("are handed on after one request, without waiting: $about", async ({ fault, least, most }) => {
    const { forge, people } = await setting();
    await people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    await people.fault({ method: "POST", path: "/comments$", times: 9, ...fault });
    const started = Date.now();
    const error = await forge
      .putComment(REPOSITORY, 1, COMMENT)
      .catch((thrown: unknown) => thrown as { name: string; retryAfterMs: number });
    expect(Date.now() - started).toBeLessThan(900);
    expect(error).toMatchObject({ name: "RateLimited" });
    // Where GitHub names no time, whoever waits decides how long.
    const { retryAfterMs } = error as { retryAfterMs: number | null };
    if (least === null) expect(retryAfterMs).toBeNull();
    else expect(retryAfterMs).toBeGreaterThanOrEqual(least);
    if (most !== null) expect(retryAfterMs).toBeLessThanOrEqual(most);
    expect(await asked(people, "POST", /\/comments$/)).toBe(1);
  });

  it("are handed on from GraphQL too", async () => {
    const at = await setting();
    const { number } = await openedPull(at, true);
    const body = { errors: [{ type: "RATE_LIMITED", message: "API rate limit exceeded" }] };
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(reset) };
    await at.people.fault({ path: "^/graphql$", status: 200, body, headers });
    await expect(at.forge.setDraft(REPOSITORY, number, false)).rejects.toMatchObject({ name: "RateLimited" });
  });
});

describe("merges that GitHub refuses", () => {
  it("are not mergeable on a conflict, after one try", async () => {
    const at = await setting();
    const { number, sha } = await openedPull(at);
    await at.people.push({ as: "maint", repository: REPOSITORY, branch: "main", files: { "a.txt": "three\n" } });
    expect((await at.forge.pullRequest(REPOSITORY, number)).mergeable).toBe(false);
    const result = await at.forge.merge(REPOSITORY, number, { sha, method: "squash" });
    expect(result).toEqual({
      kind: "not-mergeable",
      reason: expect.stringContaining("Pull Request is not mergeable") as string,
    });
    expect(await asked(at.people, "PUT", /\/merge$/)).toBe(1);
  });

  it("are not mergeable while a draft, or without what the branch asks for", async () => {
    const at = await setting();
    const { number, sha } = await openedPull(at, true);
    const merge = () => at.forge.merge(REPOSITORY, number, { sha, method: "squash" });
    expect(await merge()).toMatchObject({
      kind: "not-mergeable",
      reason: expect.stringContaining("still a draft") as string,
    });
    await at.forge.setDraft(REPOSITORY, number, false);
    await at.people.changeRepository(REPOSITORY, { protection: { approvals: 1, checks: ["build"] } });
    expect(await merge()).toMatchObject({ reason: expect.stringContaining("approving review") as string });
    await at.people.as("maint").review(REPOSITORY, number, { event: "APPROVE" });
    expect(await merge()).toMatchObject({ reason: expect.stringContaining('"build"') as string });
    await at.people.check({ repository: REPOSITORY, sha, name: "build", conclusion: "success" });
    expect(await merge()).toMatchObject({ kind: "merged" });
  });

  it.each([
    { status: 405, message: "Pull Request is not mergeable" },
    { status: 422, message: "Validation Failed" },
  ])("are merges all the same when an attempt before this one got through: $status", async ({ status, message }) => {
    const at = await setting();
    const { number, sha } = await openedPull(at);
    const body = { message, documentation_url: "https://docs.github.com/rest" };
    await at.people.fault({ method: "PUT", path: "/merge$", when: "after", status, body });
    const result = await at.forge.merge(REPOSITORY, number, { sha, method: "squash" });
    expect(result).toEqual({ kind: "merged", sha: (await at.people.branches(REPOSITORY))["main"] });
    expect(await asked(at.people, "PUT", /\/merge$/)).toBe(1);
  });

  it("tell the new head when it moved, before and during the merge", async () => {
    const at = await setting();
    const { number, sha } = await openedPull(at);
    await at.people.fault({
      method: "PUT",
      path: "/merge$",
      status: 409,
      body: { message: "Head branch was modified. Review and try the merge again." },
    });
    await expect(at.forge.merge(REPOSITORY, number, { sha, method: "squash" })).rejects.toMatchObject({
      name: "ServiceUnavailable",
    });
    const moved = await at.people.push({
      as: "maint",
      repository: REPOSITORY,
      branch: BRANCH,
      files: { "b.txt": "b\n" },
    });
    expect(await at.forge.merge(REPOSITORY, number, { sha, method: "squash" })).toEqual({
      kind: "head-moved",
      headSha: moved.sha,
    });
  });

  it("are tried again when the base moved at the same moment", async () => {
    const at = await setting();
    const { number, sha } = await openedPull(at);
    await at.people.fault({
      method: "PUT",
      path: "/merge$",
      status: 405,
      body: { message: "Base branch was modified. Review and try the merge again." },
    });
    await expect(at.forge.merge(REPOSITORY, number, { sha, method: "squash" })).rejects.toMatchObject({
      name: "ServiceUnavailable",
    });
    expect(await at.forge.merge(REPOSITORY, number, { sha, method: "squash" })).toMatchObject({ kind: "merged" });
  });

  it("tell that GitHub is still computing", async () => {
    const at = await setting({ mergeableDelayMs: 60_000 });
    const { number } = await openedPull(at);
    expect((await at.forge.pullRequest(REPOSITORY, number)).mergeable).toBeNull();
    await at.people.setMergeableDelay(0);
    expect((await at.forge.pullRequest(REPOSITORY, number)).mergeable).toBe(true);
  });
});

describe("refusals", () => {
  it("of /user do not hide whose token it is, when a job of GitHub Actions asks", async () => {
    const { forge, people } = await setting();
    await people.fault({ path: "^/user$", status: 403, body: { message: "Resource not accessible by integration" } });
    expect(await forge.viewer(REPOSITORY)).toMatchObject({ login: "bot", kind: "user" });
  });

  it.each([
    { status: 401, becomes: "AccessDenied" },
    { status: 403, becomes: "AccessDenied" },
    { status: 404, becomes: "NotFound" },
    { status: 410, becomes: "NotFound" },
    { status: 451, becomes: "AccessDenied" },
    { status: 422, becomes: "RequestRefused" },
  ])("a $status is asked once and becomes $becomes", async ({ status, becomes }) => {
    const { forge, people } = await setting({}, { fetch: (url, init) => fetch(url, init) });
    await people.fault({ path: "/repos/acme/widget$", status, times: 9 });
    await expect(forge.repository(REPOSITORY)).rejects.toMatchObject({ name: becomes });
    expect(await asked(people, "GET", /\/repos\/acme\/widget$/)).toBe(1);
  });

  it("our token is never sent to another host", async () => {
    const { forge, people } = await setting();
    await people.fault({
      path: "/repos/acme/widget$",
      status: 301,
      headers: { location: "http://elsewhere.example/repos/acme/widget" },
      body: {},
    });
    await expect(forge.repository(REPOSITORY)).rejects.toMatchObject({ message: /elsewhere\.example/ });
  });

  it("a private repository that we may not see is not found, and so are its people", async () => {
    const { forge, people } = await setting();
    await people.addRepository({ name: "acme/secret", private: true });
    await expect(forge.repository("acme/secret")).rejects.toMatchObject({ name: "NotFound" });
    await expect(forge.permission("acme/secret", "maint")).rejects.toMatchObject({ name: "NotFound" });
    await expect(forge.repository("not a name")).rejects.toMatchObject({ name: "NotFound" });
  });

  it("an outage of one tenant does not hold another up, and writes of one are spaced", async () => {
    const at = await setting();
    await at.people.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    const spaced = createForge(forgeOptions(at.server, at.wire, { tenant: "spaced", writeSpacingMs: 300 }));
    const started = Date.now();
    await Promise.all(["a", "b", "c"].map((label) => spaced.addLabels(REPOSITORY, 1, [label])));
    expect(Date.now() - started).toBeGreaterThanOrEqual(590);
    const other = createForge(forgeOptions(at.server, at.wire, { tenant: "other", writeSpacingMs: 300 }));
    const again = Date.now();
    await other.addLabels(REPOSITORY, 1, ["d"]);
    expect(Date.now() - again).toBeLessThan(290);
  });
});
