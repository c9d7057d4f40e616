import { createHmac } from "node:crypto";
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { closedBy } from "../../demo/github/closing.ts";
import { people } from "../../demo/github/people.ts";
import { startGitHub } from "../../demo/github/server.ts";
import type { Repository } from "../../demo/github/world.ts";
import { BRANCH, openedPull, REPOSITORY, setting } from "./github.ts";
import { faultsOf, github } from "./openapi/wire.ts";

const run = promisify(execFile);

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "played-github-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe("the played GitHub refuses what GitHub refuses", () => {
  it("a second pull request for a head, and one without commits", async () => {
    const { people: on } = await setting();
    const bot = on.as("bot");
    const open = (head: string) => bot.rest("POST", `/repos/${REPOSITORY}/pulls`, { title: "T", head, base: "main" });
    await on.push({ as: "bot", repository: REPOSITORY, branch: BRANCH, files: { "a.txt": "two\n" } });
    await open(BRANCH);
    await expect(open(BRANCH)).rejects.toThrow(`A pull request already exists for acme:${BRANCH}.`);
    await expect(open("nowhere")).rejects.toMatchObject({ status: 422 });
    await expect(open("main")).rejects.toThrow("No commits between main and main");
  });

  it("what somebody may not do", async () => {
    const at = await setting();
    const { number, sha } = await openedPull(at);
    const stranger = at.people.as("stranger");
    const merge = () => stranger.rest("PUT", `/repos/${REPOSITORY}/pulls/${number}/merge`, { sha });
    await expect(merge()).rejects.toMatchObject({ status: 403 });
    await expect(stranger.label(REPOSITORY, 1, "mergewright")).rejects.toMatchObject({ status: 403 });
    await expect(stranger.rest("GET", `/repos/${REPOSITORY}/collaborators/bot/permission`)).rejects.toMatchObject({
      status: 403,
    });
    await expect(stranger.close(REPOSITORY, 1)).rejects.toMatchObject({ status: 403 });
    const issue = await stranger.rest<{ labels: unknown[] }>("POST", `/repos/${REPOSITORY}/issues`, {
      title: "T",
      labels: ["mergewright"],
    });
    expect(issue.labels).toEqual([]);
    const check = at.people.as("maint").rest("POST", `/repos/${REPOSITORY}/check-runs`, { name: "x", head_sha: sha });
    await expect(check).rejects.toThrow("You must authenticate via a GitHub App.");
  });

  it("a review of one's own pull request, but not that of another", async () => {
    const at = await setting();
    const { number, sha } = await openedPull(at);
    await expect(at.people.as("bot").review(REPOSITORY, number, { event: "APPROVE" })).rejects.toThrow(
      "Can not approve your own pull request",
    );
    const review = await at.people
      .as("maint")
      .rest("POST", `/repos/${REPOSITORY}/pulls/${number}/reviews`, { event: "APPROVE" });
    expect(review).toMatchObject({ state: "APPROVED", commit_id: sha });
  });

  it("a body that is too long, an empty title, broken JSON and a route that it does not have", async () => {
    const { server, people: on } = await setting();
    const post = (path: string, body: string) =>
      fetch(`${server.url}${path}`, { method: "POST", body, headers: { authorization: "Bearer played-reader" } });
    const issues = `/repos/${REPOSITORY}/issues`;
    await on.as("reader").openIssue(REPOSITORY, { title: "T" });
    const statuses = [
      await post(`${issues}/1/comments`, JSON.stringify({ body: "x".repeat(65_537) })),
      await post(`${issues}/1/comments`, JSON.stringify({ body: "x".repeat(65_536) })),
      await post(issues, JSON.stringify({ title: "" })),
      await post(issues, "{"),
      await post("/repos/acme/widget/nothing", "{}"),
    ].map((answer) => answer.status);
    expect(statuses).toEqual([422, 201, 422, 400, 404]);
  });

  it("draft by REST, which only GraphQL changes", async () => {
    const at = await setting();
    const { number } = await openedPull(at, true);
    const plain = await fetch(`${at.server.url}/repos/${REPOSITORY}/pulls/${number}`, {
      method: "PATCH",
      body: JSON.stringify({ draft: false }),
      headers: { authorization: "Bearer played-bot" },
    });
    expect(((await plain.json()) as { draft: boolean }).draft).toBe(true);
  });
});

describe("Git over HTTP", () => {
  const git = (cwd: string, ...args: string[]) =>
    run("git", args, {
      cwd,
      env: { PATH: process.env["PATH"], GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_GLOBAL: "/dev/null", HOME: cwd },
    });
  const authorization = (password: string) => [
    "-c",
    `http.extraHeader=Authorization: Basic ${Buffer.from(`x-access-token:${password}`).toString("base64")}`,
  ];

  it("clones, pushes with write permission only, and moves the pull request", async () => {
    const at = await setting();
    const { number } = await openedPull(at);
    const directory = folder();
    const { cloneUrl } = await at.forge.repository(REPOSITORY);
    await git(directory, "clone", "--quiet", "--branch", BRANCH, cloneUrl, "tree");
    const tree = join(directory, "tree");
    expect(readFileSync(join(tree, "a.txt"), "utf8")).toBe("two\n");
    writeFileSync(join(tree, "b.txt"), "b\n");
    await git(tree, "add", "b.txt");
    await git(tree, "-c", "user.name=bot", "-c", "user.email=bot@example.com", "commit", "--quiet", "-m", "More");
    await expect(git(tree, "push", "--quiet")).rejects.toThrow(/could not read Username|Authentication failed/);
    await expect(git(tree, ...authorization("played-reader"), "push", "--quiet")).rejects.toThrow(/403/);
    await git(tree, ...authorization(await at.forge.gitToken(REPOSITORY)), "push", "--quiet");
    const head = (await git(tree, "rev-parse", "HEAD")).stdout.trim();
    expect((await at.forge.pullRequest(REPOSITORY, number)).headSha).toBe(head);
    expect((await at.people.ledger()).filter((effect) => effect.route === "git push").at(-1)).toMatchObject({
      actor: "bot",
      facts: { ref: `refs/heads/${BRANCH}`, after: head },
    });
  });

  it("loses the answer of a push after its effect when told to", async () => {
    const at = await setting();
    const directory = folder();
    const { cloneUrl } = await at.forge.repository(REPOSITORY);
    await git(directory, "clone", "--quiet", cloneUrl, "tree");
    await at.people.fault({ method: "POST", path: "git-receive-pack$", when: "after", drop: true });
    const push = git(
      join(directory, "tree"),
      ...authorization("played-bot"),
      "push",
      "origin",
      `HEAD:refs/heads/${BRANCH}`,
    );
    await expect(push).rejects.toThrow();
    expect(Object.keys(await at.people.branches(REPOSITORY))).toContain(BRANCH);
  });
});

describe("webhooks", () => {
  const SECRET = "played secret";

  async function receiver(): Promise<{
    url: string;
    got: { event: string; guid: string; payload: Record<string, unknown> }[];
    bad: number;
  }> {
    const got: { event: string; guid: string; payload: Record<string, unknown> }[] = [];
    const state = { url: "", got, bad: 0 };
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks);
        const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`;
        if (request.headers["x-hub-signature-256"] !== signature) state.bad++;
        const { "x-github-event": event, "x-github-delivery": guid } = request.headers;
        got.push({
          event: String(event),
          guid: String(guid),
          payload: JSON.parse(body.toString()) as Record<string, unknown>,
        });
        response.writeHead(202).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook/github`;
    return state;
  }

  it("are signed, fit GitHub's description, and tell the story of an issue", async () => {
    const at = await setting();
    const to = await receiver();
    await at.people.setWebhook({ url: to.url, secret: SECRET });
    const maint = at.people.as("maint");
    const { number, sha } = await openedPull(at, true);
    await maint.label(REPOSITORY, 1, "mergewright");
    const { id } = await maint.comment(REPOSITORY, 1, "/mergewright run");
    await maint.rest("PATCH", `/repos/${REPOSITORY}/issues/comments/${id}`, { body: "/mergewright approve" });
    await maint.rest("DELETE", `/repos/${REPOSITORY}/issues/comments/${id}`);
    await maint.rest("PATCH", `/repos/${REPOSITORY}/issues/1`, { title: "It is quite wrong" });
    await at.forge.assign(REPOSITORY, 1, "bot");
    await at.forge.setDraft(REPOSITORY, number, false);
    await at.people.check({ repository: REPOSITORY, sha, name: "build", conclusion: "success" });
    await at.forge.report(REPOSITORY, sha, {
      kind: "commit-status",
      state: "success",
      title: "Verified",
      summary: "",
      url: null,
      externalId: "k",
    });
    const review = await maint.review(REPOSITORY, number, { event: "APPROVE" });
    await maint.rest("PUT", `/repos/${REPOSITORY}/pulls/${number}/reviews/${review.id}/dismissals`, { message: "No" });
    const moved = await at.people.push({
      as: "maint",
      repository: REPOSITORY,
      branch: BRANCH,
      files: { "b.txt": "b\n" },
    });
    await at.forge.merge(REPOSITORY, number, { sha: moved.sha, method: "merge" });
    await at.people.idle();

    expect(to.bad).toBe(0);
    const names = to.got.map(({ event, payload }) => [event, payload["action"]].filter(Boolean).join("."));
    expect(new Set(names)).toEqual(
      new Set([
        "issues.opened",
        "push",
        "pull_request.opened",
        "issues.labeled",
        "issue_comment.created",
        "issue_comment.edited",
        "issue_comment.deleted",
        "issues.edited",
        "issues.assigned",
        "pull_request.ready_for_review",
        "check_run.created",
        "check_run.completed",
        "check_suite.completed",
        "status",
        "pull_request_review.submitted",
        "pull_request_review.dismissed",
        "pull_request.synchronize",
        "pull_request.closed",
        "issues.closed",
      ]),
    );
    const faults = to.got.flatMap(({ event, payload }) => {
      const name = [event, payload["action"] as string | undefined].filter(Boolean).join("-").replaceAll("_", "-");
      const schema = github.webhooks[name];
      return schema
        ? faultsOf(schema, payload).map((fault) => `${name} ${fault}`)
        : [`${name} is not an event of GitHub`];
    });
    expect(faults).toEqual([]);
  });

  it("are remembered and sent again under the same id", async () => {
    const { people: on } = await setting();
    const to = await receiver();
    await on.setWebhook({ url: "http://127.0.0.1:1/", secret: SECRET });
    await on.as("reader").openIssue(REPOSITORY, { title: "It is wrong" });
    await on.idle();
    await on.setWebhook({ url: to.url, secret: SECRET });
    const [first] = await on.deliveries();
    expect(first?.attempts).toMatchObject([{ status: null }]);
    await on.redeliver(first?.guid ?? "");
    await on.redeliver(first?.guid ?? "", { secret: "of another" });
    expect(to.got.map(({ guid }) => guid)).toEqual([first?.guid, first?.guid]);
    expect(to.bad).toBe(1);
  });
});

describe("the world of the played GitHub", () => {
  it("survives a kill of its process", async () => {
    const directory = folder();
    const start = () =>
      new Promise<{ url: string; kill: () => Promise<void> }>((resolve, reject) => {
        const child = spawn(process.execPath, ["--import", "tsx", "demo/github/main.ts", "--directory", directory], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        const gone = new Promise<void>((done) => child.once("exit", () => done()));
        child.once("error", reject);
        child.stdout.once("data", (line: Buffer) => {
          const { url } = JSON.parse(line.toString()) as { url: string };
          resolve({ url, kill: () => (child.kill("SIGKILL"), gone) });
        });
      });
    const first = await start();
    const on = people(first.url);
    await on.addRepository({ name: REPOSITORY, permissions: { maint: "write" } });
    await on.as("maint").openIssue(REPOSITORY, { title: "It is wrong" });
    await first.kill();
    const second = await start();
    const again = people(second.url);
    await again.as("maint").comment(REPOSITORY, 1, "Still here");
    expect((await again.ledger()).map((effect) => effect.route)).toEqual([
      "/repos/{owner}/{repo}/issues",
      "/repos/{owner}/{repo}/issues/{issue_number}/comments",
    ]);
    await second.kill();
  });

  it("keeps the issue of an account that was deleted, without its author", async () => {
    const { people: on, forge } = await setting();
    await on.as("stranger").openIssue(REPOSITORY, { title: "It is wrong" });
    await on.deleteAccount("stranger");
    expect((await forge.issue(REPOSITORY, 1)).author).toBeNull();
    await on.deleteIssue({ repository: REPOSITORY, number: 1 });
    await expect(forge.issue(REPOSITORY, 1)).rejects.toMatchObject({ name: "NotFound" });
  });

  it("begins with a folder of files where one is given", async () => {
    const source = folder();
    writeFileSync(join(source, "bug.js"), "1\n");
    const server = await startGitHub({
      repositories: [{ name: REPOSITORY, folder: source, commit: { date: "2026-01-01T00:00:00Z" } }],
    });
    onTestFinished(() => server.close());
    expect(Object.keys(await server.people.branches(REPOSITORY))).toEqual(["main"]);
    expect(await (await fetch(`${server.url}/${REPOSITORY}`)).text()).toContain("played GitHub");
  });

  it.each([
    ["Closes #7", [7]],
    ["fixes: #7, resolves acme/widget#8 and closes other/repo#9", [7, 8]],
    ["Closed https://example.com/acme/widget/issues/7", [7]],
    ["Refs #7, disclose #8, `Closes #9`, <!-- closes #10 -->", []],
  ])("%s closes %j", (text, numbers) => {
    expect(closedBy(text, { owner: "acme", name: "widget" } as Repository)).toEqual(numbers);
  });
});
