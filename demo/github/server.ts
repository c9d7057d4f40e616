/**
 * A GitHub of our own, for the demo and the tests: REST, the GraphQL that we need, Git over HTTP and signed webhooks,
 * with GitHub's refusals. It is held to GitHub's OpenAPI description in `test/github`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Actor, ANONYMOUS, authenticate } from "./access.ts";
import { answerAdmin } from "./admin.ts";
import { createFaults, suffer } from "./faults.ts";
import { answerGit, isGitPath, sendGit } from "./git-http.ts";
import { answerGraphql } from "./graphql.ts";
import { createHooks } from "./hooks.ts";
import { type Answer, parseJson, readBody, Refusal } from "./http.ts";
import { createLedger } from "./ledger.ts";
import { answerPage } from "./pages.ts";
import { type People, people } from "./people.ts";
import type { Played } from "./played.ts";
import { answerRest, type Request } from "./router.ts";
import { ROUTES } from "./routes.ts";
import { type AccountSeed, type AppSeed, type RepositorySeed, seedAccount, seedApp, seedRepository } from "./seed.ts";
import { openStore } from "./store.ts";
import type { Webhook } from "./world.ts";

export interface GitHubOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default: a free one. */
  port?: number;
  /** Where the world is kept; without it in a temporary folder, which is removed by `close`. */
  directory?: string;
  webhook?: Webhook;
  accounts?: AccountSeed[];
  repositories?: RepositorySeed[];
  apps?: AppSeed[];
  /** How long after a push `mergeable` is null, in milliseconds. Default 0. */
  mergeableDelayMs?: number;
}

export interface PlayedGitHub {
  /** Address without a slash at its end; pages for people and clone URLs stand under it. */
  url: string;
  /** For `GITHUB_API_URL`. */
  apiUrl: string;
  graphqlUrl: string;
  /** Acts as people and as the test; over HTTP, like everybody else. */
  people: People;
  close(): Promise<void>;
}

export async function startGitHub(options: GitHubOptions = {}): Promise<PlayedGitHub> {
  const temporary = options.directory === undefined ? mkdtempSync(join(tmpdir(), "played-github-")) : null;
  const store = openStore(options.directory ?? temporary ?? "");
  const server = createServer();
  const address = await listen(server, options.port ?? 0, options.host ?? "127.0.0.1");
  const host = options.host === "0.0.0.0" ? "127.0.0.1" : address.address;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${address.port}`;
  const hooks = createHooks(store);
  const played: Played = {
    world: store.world,
    store,
    hooks,
    base: url,
    mergeableDelayMs: options.mergeableDelayMs ?? 0,
  };

  if (options.webhook) played.world.webhook = options.webhook;
  for (const account of options.accounts ?? []) seedAccount(played, account);
  for (const repository of options.repositories ?? []) await seedRepository(played, repository);
  for (const app of options.apps ?? []) seedApp(played, app);
  store.save();

  const handle = createHandler(played);
  server.on("request", (request, response) => void handle(request, response));
  return {
    url,
    apiUrl: url,
    graphqlUrl: `${url}/graphql`,
    people: people(url),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.race([hooks.idle(), delay(1000)]);
      if (temporary !== null) rmSync(temporary, { recursive: true, force: true });
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** The body of our own comments may name this server under GitHub Enterprise's prefixes, too. */
function withoutPrefix(path: string): string {
  if (path === "/api/graphql") return "/graphql";
  return path.startsWith("/api/v3/") ? path.slice("/api/v3".length) : path;
}

function jobLog({ world }: Played, path: string): string | null {
  const [, repository, run] = /^\/_logs\/(\d+)\/(\d+)$/.exec(path) ?? [];
  const found = world.repositories.find(({ id }) => String(id) === repository);
  return found?.checkRuns.find(({ id }) => String(id) === run)?.log ?? null;
}

function createHandler(played: Played): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const faults = createFaults();
  const ledger = createLedger(played.store);
  const serial = oneAtATime();

  /** The true answer, with its effect. */
  const act = async (request: IncomingMessage, url: URL, actor: Actor, body: Buffer): Promise<Answer> => {
    const method = request.method ?? "GET";
    const { answer, route } =
      url.pathname === "/graphql"
        ? await graphql(played, actor, body)
        : await rest(played, { method, target: url.pathname + url.search, actor, body });
    if (route === null || answer.status >= 300) return answer;
    played.store.save();
    ledger.effect({ actor: actor.login, method, route, path: url.pathname, status: answer.status });
    return answer;
  };

  const api = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    const method = request.method ?? "GET";
    const path = url.pathname + url.search;
    const body = await readBody(request);
    const fault = faults.strike(method, path);
    let actor = ANONYMOUS;
    const record = ledger.request(method, path);
    const note = (status: number | null): void => void Object.assign(record, { status, actor: actor.login });

    const early = fault && fault.when !== "after" ? await suffer(fault) : null;
    if (early) return settle(response, early, note);
    const answer = await refusals(async () => {
      actor = authenticate(played.world, request.headers.authorization);
      return method === "GET"
        ? await act(request, url, actor, body)
        : await serial(() => act(request, url, actor, body));
    });
    const late = fault?.when === "after" ? await suffer(fault) : null;
    settle(response, late ?? { ...answer, headers: { ...standardHeaders(actor), ...answer.headers } }, note);
  };

  const overGit = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    const method = request.method ?? "GET";
    const path = url.pathname + url.search;
    const fault = faults.strike(method, path);
    const record = ledger.request(method, path);
    const note = (status: number | null): void => void Object.assign(record, { status });
    const early = fault && fault.when !== "after" ? await suffer(fault) : null;
    if (early) return settle(response, early, note);
    const answer = await serial(() => answerGit(played, request, url));
    for (const facts of answer.pushed) {
      ledger.effect({
        actor: answer.login,
        method: "PUSH",
        route: "git push",
        path: url.pathname,
        status: answer.status,
        facts,
      });
    }
    if (answer.pushed.length > 0) played.store.save();
    const late = fault?.when === "after" ? await suffer(fault) : null;
    if (late) return settle(response, late, note);
    note(answer.status);
    sendGit(response, answer);
  };

  return async (request, response) => {
    try {
      const url = new URL(request.url ?? "/", played.base);
      url.pathname = withoutPrefix(url.pathname);
      if (url.pathname.startsWith("/_played/")) {
        const body = parseJson(await readBody(request));
        const path = url.pathname.slice("/_played/".length);
        const work = (): Promise<Answer> =>
          answerAdmin({ played, faults, ledger }, request.method ?? "GET", path, body);
        const waits = path === "idle" || path.startsWith("redeliver");
        const answer = await refusals(() => (waits ? work() : serial(work)));
        if (request.method !== "GET") played.store.save();
        return send(response, answer);
      }
      const log = jobLog(played, url.pathname);
      if (log !== null) {
        // The store of the logs knows no tokens, and refuses what it does not know.
        const refused = request.headers.authorization !== undefined;
        return void response.writeHead(refused ? 400 : 200, { "content-type": "text/plain" }).end(refused ? "" : log);
      }
      if (isGitPath(url.pathname)) return await overGit(request, response, url);
      const shown = request.method === "GET" ? answerPage(played, url.pathname) : null;
      if (shown !== null)
        return void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(shown);
      await api(request, response, url);
    } catch (error) {
      // A mistake of this server must show as one, and not as a hanging client.
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(`The played GitHub failed at ${request.method} ${request.url}: ${message}\n`);
      if (!response.headersSent)
        send(response, { status: 500, body: { message: `The played GitHub failed: ${message}` } });
      else response.destroy();
    }
  };
}

/** `route` is what the ledger calls the effect; null where there was none. */
interface Answered {
  answer: Answer;
  route: string | null;
}

async function rest(played: Played, request: Request): Promise<Answered> {
  const { answer, template } = await answerRest(ROUTES, played, request);
  return { answer, route: request.method === "GET" ? null : template };
}

/** A refusal of GraphQL is a 200 with errors, and no effect. */
async function graphql(played: Played, actor: Actor, body: Buffer): Promise<Answered> {
  const fields = parseJson(body);
  const answer = await answerGraphql(played, actor, fields);
  const refused = typeof answer.body === "object" && answer.body !== null && "errors" in answer.body;
  const mutation = /^\s*mutation[^{]*\{\s*(\w+)/.exec(String(fields["query"]))?.[1] ?? null;
  return { answer, route: refused ? null : mutation };
}

async function refusals(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

/** Writes come one after the other, so that each sees what the one before it did. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

function standardHeaders(actor: Actor): Record<string, string> {
  return {
    "x-github-media-type": "github.v3; format=json",
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "4999",
    "x-ratelimit-used": "1",
    "x-ratelimit-reset": String(Math.floor(Date.now() / 1000) + 3600),
    "x-ratelimit-resource": "core",
    ...(actor.kind === "user" && { "x-oauth-scopes": "repo", "x-accepted-oauth-scopes": "repo" }),
  };
}

function settle(response: ServerResponse, answer: Answer | "drop", note: (status: number | null) => void): void {
  note(answer === "drop" ? null : answer.status);
  if (answer === "drop") return void response.socket?.destroy();
  send(response, answer);
}

function send(response: ServerResponse, answer: Answer): void {
  const { status, body, headers = {} } = answer;
  if (body === undefined) return void response.writeHead(status, headers).end();
  const isText = typeof body === "string";
  const type = isText ? "text/html; charset=utf-8" : "application/json; charset=utf-8";
  response.writeHead(status, { "content-type": type, ...headers }).end(isText ? body : JSON.stringify(body));
}
