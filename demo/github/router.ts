/** Routes by GitHub's own path templates, so that each can be held to its description. */
import { type Actor, atLeast, type Need, requireAccess, roleOf } from "./access.ts";
import { type Answer, type Fields, notFound, parseJson, Refusal } from "./http.ts";
import type { Played } from "./played.ts";
import { findRepository, fullName, type Issue, type Repository } from "./world.ts";

export interface Asked {
  played: Played;
  actor: Actor;
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  body: Fields;
}

export interface AskedOf extends Asked {
  repository: Repository;
}

export interface Route {
  method: string;
  template: string;
  handle: (asked: Asked) => Promise<Answer>;
}

type Result = Answer | Promise<Answer>;

/** A route that is about no repository. */
export function route(method: string, template: string, handle: (asked: Asked) => Result): Route {
  return { method, template, handle: async (asked) => await handle(asked) };
}

/** A route under `/repos/{owner}/{repo}`, for those who may. */
export function repositoryRoute(method: string, path: string, need: Need, handle: (asked: AskedOf) => Result): Route {
  return {
    method,
    template: `/repos/{owner}/{repo}${path}`,
    async handle(asked) {
      const repository = findRepository(asked.played.world, `${asked.params["owner"]}/${asked.params["repo"]}`);
      if (!repository) throw notFound();
      requireAccess(repository, asked.actor, need, method !== "GET");
      return await handle({ ...asked, repository });
    },
  };
}

export interface Request {
  method: string;
  /** Without a prefix such as `/api/v3`, with the query. */
  target: string;
  actor: Actor;
  body: Buffer;
}

/** Answers one request of the REST API; a refusal is an answer too. `template` is null for an unknown route. */
export async function answerRest(
  routes: readonly Route[],
  played: Played,
  request: Request,
): Promise<{ answer: Answer; template: string | null }> {
  const url = new URL(request.target, played.base);
  const path = byId(played, url.pathname);
  const matches = routes.flatMap((candidate) => {
    const params = match(candidate.template, path);
    return params && candidate.method === request.method ? [{ candidate, params }] : [];
  });
  const found = matches[0];
  if (!found) return { answer: notFound().answer, template: null };
  const { candidate, params } = found;
  try {
    const moved = redirect(played, request, url, params);
    if (moved) return { answer: moved, template: candidate.template };
    const body = request.method === "GET" ? {} : parseJson(request.body);
    const asked = { played, actor: request.actor, params, query: url.searchParams, body };
    return { answer: await candidate.handle(asked), template: candidate.template };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { answer: error.answer, template: candidate.template };
  }
}

/** `/repositories/ID/...`, where renamed repositories are redirected to. */
function byId({ world }: Played, path: string): string {
  const id = /^\/repositories\/(\d+)(\/.*)?$/.exec(path);
  const repository = world.repositories.find((candidate) => String(candidate.id) === id?.[1]);
  return repository ? `/repos/${fullName(repository)}${id?.[2] ?? ""}` : path;
}

/** GitHub keeps the method by 307 where it is not a reading one. */
function redirect(played: Played, request: Request, url: URL, params: Readonly<Record<string, string>>): Answer | null {
  const asked = `${params["owner"]}/${params["repo"]}`.toLowerCase();
  const repository = findRepository(played.world, asked);
  if (!repository || fullName(repository).toLowerCase() === asked) return null;
  const rest = url.pathname.split("/").slice(4).join("/");
  const location = `${played.base}/repositories/${repository.id}${rest ? `/${rest}` : ""}${url.search}`;
  const status = request.method === "GET" ? 301 : 307;
  const message = status === 301 ? "Moved Permanently" : "Temporary Redirect";
  return {
    status,
    headers: { location },
    body: { message, url: location, documentation_url: "https://docs.github.com/rest" },
  };
}

/** `{ref}` at the end may hold slashes, as GitHub's branch names do. */
export function match(template: string, path: string): Record<string, string> | null {
  const names: string[] = [];
  const pattern = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    names.push(name);
    return name === "ref" ? "(.+)" : "([^/]+)";
  });
  const found = new RegExp(`^${pattern}$`).exec(path);
  if (!found) return null;
  try {
    return Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? "")]));
  } catch {
    return null;
  }
}

/** One page of a list, with GitHub's `Link` header. */
export function page(
  asked: Asked,
  path: string,
  items: readonly unknown[],
  wrap: (page: unknown[]) => unknown = (x) => x,
): Answer {
  const size = Math.min(Math.max(Number(asked.query.get("per_page") ?? 30) || 30, 1), 100);
  const number = Math.max(Number(asked.query.get("page") ?? 1) || 1, 1);
  const last = Math.max(Math.ceil(items.length / size), 1);
  const link = (to: number, relation: string): string => {
    const query = new URLSearchParams(asked.query);
    query.set("page", String(to));
    return `<${asked.played.base}${path}?${query.toString()}>; rel="${relation}"`;
  };
  const links = number < last ? [link(number + 1, "next"), link(last, "last")] : [];
  if (number > 1) links.push(link(number - 1, "prev"), link(1, "first"));
  return {
    status: 200,
    body: wrap(items.slice((number - 1) * size, number * size)),
    ...(links.length > 0 && { headers: { link: links.join(", ") } }),
  };
}

/** The issue (or pull request) of the path. */
export function issueOf(asked: AskedOf): Issue {
  const number = Number(asked.params["issue_number"] ?? asked.params["pull_number"]);
  const issue = asked.repository.issues.find((candidate) => candidate.number === number);
  if (!issue) throw notFound();
  if (issue.deleted) throw new Refusal(410, "This issue was deleted");
  return issue;
}

/** Who acts, where GitHub lets nobody act unnamed. */
export function login(asked: Asked): string {
  if (asked.actor.login === null) throw new Refusal(401, "Requires authentication");
  return asked.actor.login;
}

/** People with this role, and Apps whatever theirs: their permission was asked by the route. */
export function isAtLeast(asked: AskedOf, role: Need["role"]): boolean {
  return asked.actor.kind === "installation" || atLeast(roleOf(asked.repository, asked.actor.login), role);
}
