import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { GitMirror } from "../../activities/adapters/git/mirror.ts";
import { AccessDenied, NotFound, RateLimited, RequestRefused, ServiceUnavailable } from "../../domain/errors.ts";
import { startGitServer, type Fault, type GitServer } from "./server.ts";
import { createBench, git, never, REPOSITORY, type Bench } from "./support.ts";

const TOKEN = "ghs_1234567_eyJhbGciOi.eyJpc3MiOiJtdy.c2lnbmF0dXJl";
const BASIC = Buffer.from(`x-access-token:${TOKEN}`).toString("base64");
let bench: Bench;
let server: GitServer;
let url: string;
let asked: string[];
let mirror: GitMirror;
let branches = 0;

beforeAll(async () => {
  bench = await createBench();
  server = await startGitServer(join(bench.root, "upstream"));
  url = `${server.url}/acme/widgets.git`;
});
afterAll(async () => {
  await server.close();
  bench.end();
});
beforeEach(() => {
  asked = [];
  server.token = TOKEN;
  mirror = bench.another({ allowFileUrls: false, token: async (repository) => (asked.push(repository), TOKEN) });
});
afterEach(() => {
  server.faults = [];
  server.requests.length = 0;
});

const fetching = () => mirror.fetch(REPOSITORY, url, "main", never);
const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error as Error,
  );
const fault = (answer: Fault["answer"], times = 1, when: Fault["when"] = () => true) =>
  void server.faults.push({ when, answer, times });
const isPush: Fault["when"] = (request) =>
  request.method === "POST" && (request.url ?? "").endsWith("/git-receive-pack");
const upstreamCommit = (branch: string) => {
  try {
    return git(bench.upstream, ["rev-parse", `refs/heads/${branch}`]);
  } catch {
    return null;
  }
};
async function readyToPush() {
  await fetching();
  const branch = `mergewright/issue-${++branches}`;
  const commitOf = (message: string, parent = bench.base) =>
    mirror.commit(
      REPOSITORY,
      {
        treeOf: bench.base,
        parents: [parent],
        message,
        author: { name: "M", email: "m@x" },
        date: "2026-01-01T00:00:00Z",
      },
      never,
    );
  const commit = await commitOf(`Change ${branches}`);
  const push = (expected: string | null, what = commit) =>
    mirror.push(REPOSITORY, url, { branch, commit: what, expected }, never);
  return { branch, commit, commitOf, push };
}

describe("the token", () => {
  it("is asked for once an operation, sent with every request, and stands in no file of the mirror and no error", async () => {
    expect(await fetching()).toBe(bench.base);
    expect(asked).toEqual([REPOSITORY]);
    expect(new Set(server.requests.map((request) => request.authorization))).toEqual(new Set([`Basic ${BASIC}`]));
    const dirs = readdirSync(bench.root).filter((name) => name.startsWith("mirrors-"));
    for (const dir of dirs) {
      for (const name of readdirSync(join(bench.root, dir), { recursive: true, withFileTypes: true })) {
        if (!name.isFile()) continue;
        const content = readFileSync(join(name.parentPath, name.name), "latin1");
        expect(content.includes(TOKEN) || content.includes(BASIC)).toBe(false);
      }
    }
  });

  it("is on no command line while git runs", async () => {
    fault({ kind: "hang" });
    const stop = new AbortController();
    const running = caught(mirror.fetch(REPOSITORY, url, "main", stop.signal));
    let lines: string[] = [];
    for (let tries = 0; tries < 100 && !lines.some((line) => line.includes("remote-http")); tries++) {
      await new Promise((done) => setTimeout(done, 20));
      lines = readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => {
          try {
            return readFileSync(`/proc/${pid}/cmdline`, "utf8");
          } catch {
            return "";
          }
        });
    }
    stop.abort();
    await running;
    expect(lines.some((line) => line.includes(url))).toBe(true);
    expect(lines.some((line) => line.includes(TOKEN) || line.includes(BASIC))).toBe(false);
  });

  it("is not sent to another host by a redirect", async () => {
    const other = await startGitServer(join(bench.root, "upstream"));
    fault(
      {
        kind: "status",
        status: 301,
        headers: { location: `${other.url}/acme/widgets.git/info/refs?service=git-upload-pack` },
      },
      10,
    );
    const error = await caught(fetching());
    expect(error).toBeInstanceOf(NotFound);
    expect(error!.message).toContain("leads elsewhere");
    expect(other.requests).toEqual([]);
    await other.close();
  });
});

describe("a fetch", () => {
  it("follows a renamed repository within its host", async () => {
    server.faults.push({
      when: (request) => (request.url ?? "").startsWith("/old/"),
      answer: {
        kind: "status",
        status: 301,
        headers: { location: "/acme/widgets.git/info/refs?service=git-upload-pack" },
      },
      times: 10,
    });
    expect(await mirror.fetch("old/name", `${server.url}/old/name.git`, "main", never)).toBe(bench.base);
  });

  it.each([
    ["a wrong token", () => void (server.token = "another"), AccessDenied],
    ["403", () => fault({ kind: "status", status: 403 }), AccessDenied],
    ["404", () => fault({ kind: "status", status: 404 }), NotFound],
    ["429", () => fault({ kind: "status", status: 429 }), RateLimited],
    ["500", () => fault({ kind: "status", status: 500 }), ServiceUnavailable],
    ["502", () => fault({ kind: "status", status: 502 }), ServiceUnavailable],
    ["a broken connection", () => fault({ kind: "cut" }, 5), ServiceUnavailable],
    [
      "a connection that breaks in the middle",
      () => fault({ kind: "after" }, 5, (request) => request.method === "POST"),
      ServiceUnavailable,
    ],
  ])("says what %s means", async (_, prepare, kind) => {
    prepare();
    const error = await caught(fetching());
    expect(error).toBeInstanceOf(kind);
    expect(error!.message).not.toContain(BASIC);
    server.token = TOKEN;
    server.faults = [];
    expect(await fetching()).toBe(bench.base);
  });

  it("says that nobody listens", async () => {
    expect(await caught(mirror.fetch(REPOSITORY, "http://127.0.0.1:9/a/b.git", "main", never))).toBeInstanceOf(
      ServiceUnavailable,
    );
  });

  it("says which branch is missing, and that a repository is empty", async () => {
    expect(String(await caught(mirror.fetch(REPOSITORY, url, "nowhere", never)))).toMatch(
      /NotFound.*no branch nowhere/,
    );
    git(bench.root, ["init", "--bare", "--quiet", join(bench.root, "upstream", "acme", "empty.git")]);
    expect(String(await caught(mirror.fetch("acme/empty", `${server.url}/acme/empty.git`, "main", never)))).toMatch(
      /NotFound.*no commit/,
    );
    expect(await caught(mirror.fetch("acme/none", `${server.url}/acme/none.git`, "main", never))).toBeInstanceOf(
      NotFound,
    );
  });

  it("ends at once, with its children, when it is aborted, and at its time limit", async () => {
    fault({ kind: "hang" }, 2);
    const stop = new AbortController();
    const began = Date.now();
    const running = caught(mirror.fetch(REPOSITORY, url, "main", stop.signal));
    setTimeout(() => stop.abort(new Error("cancelled by a person")), 300);
    expect(String(await running)).toContain("cancelled by a person");
    const hasty = bench.another({ networkTimeoutMs: 300, allowFileUrls: false });
    expect(await caught(hasty.fetch(REPOSITORY, url, "main", never))).toBeInstanceOf(ServiceUnavailable);
    expect(Date.now() - began).toBeLessThan(10_000);
  });
});

describe("a push", () => {
  it("makes the branch, and knows it again when repeated", async () => {
    const { branch, commit, push } = await readyToPush();
    expect(await push(null)).toEqual({ kind: "pushed" });
    expect(upstreamCommit(branch)).toBe(commit);
    expect(await push(null)).toEqual({ kind: "already-there" });
    expect(await push(bench.base)).toEqual({ kind: "already-there" });
  });

  it("moves the branch on from what we left there, also where that is no fast-forward", async () => {
    const { branch, commit, commitOf, push } = await readyToPush();
    await push(null);
    const next = await commitOf("Next", commit);
    expect(await push(commit, next)).toEqual({ kind: "pushed" });
    const aside = await commitOf("Aside");
    expect(await push(next, aside)).toEqual({ kind: "pushed" });
    expect(upstreamCommit(branch)).toBe(aside);
  });

  it("never goes over a commit of somebody else", async () => {
    const { branch, commit, commitOf, push } = await readyToPush();
    await push(null);
    git(bench.work, ["push", "--quiet", "--force", bench.upstream, `main:refs/heads/${branch}`]);
    const next = await commitOf("Next", commit);
    expect(await push(commit, next)).toEqual({ kind: "moved", actual: bench.base });
    expect(await push(null, next)).toEqual({ kind: "moved", actual: bench.base });
    git(bench.upstream, ["update-ref", "-d", `refs/heads/${branch}`]);
    expect(await push(commit, next)).toEqual({ kind: "moved", actual: null });
    expect(upstreamCommit(branch)).toBeNull();
  });

  it("reads the branch back when the answer was lost", async () => {
    const { branch, commit, push } = await readyToPush();
    fault({ kind: "after" }, 1, isPush);
    expect(await push(null)).toEqual({ kind: "already-there" });
    expect(upstreamCommit(branch)).toBe(commit);
  });

  it("fails when the request was lost, and the next try makes it", async () => {
    const { branch, commit, push } = await readyToPush();
    fault({ kind: "cut" }, 3, isPush);
    expect(await caught(push(null))).toBeInstanceOf(ServiceUnavailable);
    expect(upstreamCommit(branch)).toBeNull();
    server.faults = [];
    expect(await push(null)).toEqual({ kind: "pushed" });
    expect(upstreamCommit(branch)).toBe(commit);
  });

  it("says that the token may not write, and what the server's rules refuse", async () => {
    const { push } = await readyToPush();
    fault({ kind: "status", status: 403 }, 5, (request) => (request.url ?? "").includes("git-receive-pack"));
    expect(await caught(push(null))).toBeInstanceOf(AccessDenied);
    server.faults = [];
    git(bench.upstream, ["config", "receive.maxInputSize", "1"]);
    const refused = await caught(push(null));
    git(bench.upstream, ["config", "--unset", "receive.maxInputSize"]);
    expect(refused).not.toBeNull();
    git(bench.upstream, ["config", "receive.denyCurrentBranch", "refuse"]);
    git(bench.upstream, ["config", "transfer.hideRefs", "refs/heads/mergewright"]);
    const hidden = await caught(push(null));
    git(bench.upstream, ["config", "--unset", "transfer.hideRefs"]);
    expect(hidden).toBeInstanceOf(RequestRefused);
    expect(hidden!.message).toMatch(/hidden ref/);
  });
});
