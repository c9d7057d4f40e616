/** Git's smart HTTP through `git http-backend`, with GitHub's way of saying no. */
import { spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { ANONYMOUS, authenticateGit, mayPush, mayRead } from "./access.ts";
import { type Happening, pullHappened, pushHappened } from "./events.ts";
import { branches, GIT_ENVIRONMENT, setRef } from "./git.ts";
import { readBody } from "./http.ts";
import { gitDirectory, now, type Played } from "./played.ts";
import { isPull } from "./render-pull.ts";
import { findRepository, type Repository } from "./world.ts";

const GIT_PATH = /^\/([^/]+\/[^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/;

export function isGitPath(path: string): boolean {
  return GIT_PATH.test(path);
}

export interface GitAnswer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** Whose push it was and what moved; empty for a fetch. */
  pushed: { ref: string; before: string | null; after: string | null }[];
  login: string | null;
}

/** Pushes must come one after the other: the caller sees to that. */
export async function answerGit(played: Played, request: IncomingMessage, url: URL): Promise<GitAnswer> {
  const [, name = "", service = ""] = GIT_PATH.exec(url.pathname) ?? [];
  const writes = service === "git-receive-pack" || url.searchParams.get("service") === "git-receive-pack";
  const body = await readBody(request);
  const repository = findRepository(played.world, name);
  const header = request.headers.authorization;
  const actor = header === undefined ? ANONYMOUS : authenticateGit(played.world, header);
  if (actor === null)
    return refuse(401, "Invalid username or token. Password authentication is not supported for Git operations.");
  const hidden = !repository || !mayRead(repository, actor);
  if (actor.kind === "anonymous" && (hidden || writes)) return refuse(401, "No anonymous access.");
  if (hidden) return refuse(404, "Repository not found.");
  if (writes && !mayPush(repository, actor)) return refuse(403, `Write access to repository not granted.`);
  if (writes && repository.archived) return refuse(403, "This repository was archived so it is read-only.");
  const directory = gitDirectory(played, repository);
  const before = await branches(directory);
  const answer = await backend(played, repository, request, url, service, body);
  if (service !== "git-receive-pack") return { ...answer, pushed: [], login: actor.login };
  const pushed = await settlePush({ played, repository, actor }, before);
  return { ...answer, pushed, login: actor.login };
}

function refuse(status: number, message: string): GitAnswer {
  const challenge = status === 401 ? { "www-authenticate": 'Basic realm="GitHub"' } : {};
  const headers = { "content-type": "text/plain", ...(challenge as Record<string, string>) };
  return { status, headers, body: Buffer.from(`${message}\n`), pushed: [], login: null };
}

/** Brings pull requests up to what the branches are now, and tells it. */
export async function settlePush(
  happening: Happening,
  before: ReadonlyMap<string, string>,
): Promise<GitAnswer["pushed"]> {
  const { played, repository, actor } = happening;
  const directory = gitDirectory(played, repository);
  const after = await branches(directory);
  const pushed: GitAnswer["pushed"] = [];
  for (const branch of new Set([...before.keys(), ...after.keys()])) {
    const from = before.get(branch) ?? null;
    const to = after.get(branch) ?? null;
    if (from === to) continue;
    pushed.push({ ref: `refs/heads/${branch}`, before: from, after: to });
    repository.pushedAt = now();
    await pushHappened(happening, branch, from, to);
    for (const issue of repository.issues.filter(isPull)) {
      if (issue.state === "closed") continue;
      // With its full precision, so that `mergeable` is unknown for exactly the time asked for.
      if (issue.pull.baseRef === branch || issue.pull.headRef === branch) issue.pull.movedAt = new Date().toISOString();
      if (issue.pull.headRef !== branch) continue;
      if (to === null) {
        Object.assign(issue, { state: "closed", closedAt: now(), closedBy: actor.login, updatedAt: now() });
        await pullHappened(happening, "closed", issue);
        continue;
      }
      issue.pull.headSha = to;
      issue.updatedAt = now();
      await setRef(directory, `refs/pull/${issue.number}/head`, to);
      await pullHappened(happening, "synchronize", issue, { before: from, after: to });
    }
  }
  return pushed;
}

async function backend(
  played: Played,
  repository: Repository,
  request: IncomingMessage,
  url: URL,
  service: string,
  body: Buffer,
): Promise<{ status: number; headers: Record<string, string>; body: Buffer }> {
  const directory = gitDirectory(played, repository);
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      ...GIT_ENVIRONMENT,
      GIT_PROJECT_ROOT: directory,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      PATH_INFO: `/${service}`,
      REQUEST_METHOD: request.method ?? "GET",
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: String(request.headers["content-encoding"] ?? ""),
      CONTENT_LENGTH: String(body.length),
      REMOTE_USER: "played",
      REMOTE_ADDR: request.socket.remoteAddress ?? "",
    },
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(body);
  child.stderr.resume();
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  return parseCgi(Buffer.concat(chunks));
}

function parseCgi(output: Buffer): { status: number; headers: Record<string, string>; body: Buffer } {
  const end = output.indexOf("\r\n\r\n");
  if (end < 0) return { status: 500, headers: {}, body: Buffer.from("git http-backend gave no answer\n") };
  const lines = output.subarray(0, end).toString("utf8").split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const status = Number.parseInt(headers["status"] ?? "200", 10);
  delete headers["status"];
  return { status, headers, body: output.subarray(end + 4) };
}

export function sendGit(response: ServerResponse, answer: Pick<GitAnswer, "status" | "headers" | "body">): void {
  response.writeHead(answer.status, answer.headers).end(answer.body);
}
