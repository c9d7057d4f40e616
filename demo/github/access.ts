/** Who asks, and what they may do: users by their role, Apps by the permissions of their installation. */
import { verify } from "node:crypto";
import type { Permission } from "../../domain/run.ts";
import { forbidden, notFound, Refusal } from "./http.ts";
import { type Account, type App, type Installation, type Repository, type World } from "./world.ts";

export type Actor =
  | { kind: "anonymous"; login: null }
  | { kind: "user"; login: string; account: Account }
  | { kind: "installation"; login: string; app: App; installation: Installation }
  | { kind: "app"; login: null; app: App };

export const ANONYMOUS: Actor = { kind: "anonymous", login: null };

/** The account behind `Authorization: Bearer|token ...`; nobody's token is a 401. */
export function authenticate(world: World, header: string | undefined): Actor {
  if (header === undefined) return ANONYMOUS;
  const token = /^(?:bearer|token) +(\S+)$/i.exec(header)?.[1];
  const actor = token === undefined ? null : actorOf(world, token);
  if (actor === null) throw new Refusal(401, "Bad credentials");
  return actor;
}

/** The account behind `Authorization: Basic ...` of Git, where the token is the password. */
export function authenticateGit(world: World, header: string | undefined): Actor | null {
  const encoded = /^basic +(\S+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return null;
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const user = decoded.slice(0, decoded.indexOf(":"));
  const actor = actorOf(world, decoded.slice(decoded.indexOf(":") + 1));
  if (actor?.kind === "installation" && user !== "x-access-token") return null;
  return actor?.kind === "app" ? null : actor;
}

function actorOf(world: World, token: string): Actor | null {
  const account = world.accounts.find((candidate) => candidate.token === token);
  if (account) return { kind: "user", login: account.login, account };
  const minted = world.installationTokens.find((candidate) => candidate.token === token);
  if (minted) {
    if (Date.parse(minted.expiresAt) <= Date.now()) return null;
    const installation = world.installations.find((candidate) => candidate.id === minted.installationId);
    const app = world.apps.find((candidate) => candidate.id === installation?.appId);
    if (!installation || !app) return null;
    if (installation.suspendedAt !== null) throw forbidden("This installation has been suspended");
    return { kind: "installation", login: `${app.slug}[bot]`, app, installation };
  }
  return appOf(world, token);
}

/** An App's own token: signed with its key, ten minutes long at most, issued in the past. */
function appOf(world: World, token: string): Actor | null {
  const [header, payload, signature, ...rest] = token.split(".");
  if (!header || !payload || !signature || rest.length > 0) return null;
  let claims: { iss?: unknown; iat?: unknown; exp?: unknown };
  try {
    claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as typeof claims;
  } catch {
    return null;
  }
  const app = world.apps.find((candidate) => String(candidate.id) === String(claims.iss));
  if (!app) throw new Refusal(401, "Integration not found");
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify("RSA-SHA256", signed, app.publicKey, Buffer.from(signature, "base64url"))) {
    throw new Refusal(401, "A JSON web token could not be decoded");
  }
  const now = Date.now() / 1000;
  if (typeof claims.exp !== "number" || claims.exp > now + 600) {
    throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
  }
  if (claims.exp < now)
    throw new Refusal(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  if (typeof claims.iat !== "number" || claims.iat > now + 5) {
    throw new Refusal(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  }
  return { kind: "app", login: null, app };
}

/** What a route asks: a role of people, a permission of Apps (`issues:write`), or nothing of one of them. */
export interface Need {
  role: Permission;
  app: `${string}:${"read" | "write"}` | null;
}

const RANK: readonly Permission[] = ["none", "read", "triage", "write", "maintain", "admin"];

export function atLeast(role: Permission, needed: Permission): boolean {
  return RANK.indexOf(role) >= RANK.indexOf(needed);
}

/** What the repository lets a person do. */
export function roleOf(repository: Repository, login: string | null): Permission {
  if (login?.toLowerCase() === repository.owner.toLowerCase()) return "admin";
  const granted = Object.entries(repository.permissions).find(([name]) => name.toLowerCase() === login?.toLowerCase());
  return granted?.[1] ?? (repository.private ? "none" : "read");
}

export function mayRead(repository: Repository, actor: Actor): boolean {
  if (actor.kind === "installation") {
    return actor.installation.owner.toLowerCase() === repository.owner.toLowerCase() || !repository.private;
  }
  return atLeast(roleOf(repository, actor.login), "read");
}

/** Passes, or refuses as GitHub does: what one may not see does not exist. */
export function requireAccess(repository: Repository, actor: Actor, need: Need, writes: boolean): void {
  if (!mayRead(repository, actor)) throw notFound();
  if (actor.kind === "app") throw new Refusal(401, "A JSON web token could not be decoded");
  if (writes && actor.kind === "anonymous") throw new Refusal(401, "Requires authentication");
  if (writes && repository.archived) throw forbidden("Repository was archived so is read-only.");
  if (actor.kind === "installation") {
    const own = actor.installation.owner.toLowerCase() === repository.owner.toLowerCase();
    if (need.app !== null && !(own && granted(actor.app, need.app)))
      throw forbidden("Resource not accessible by integration");
    return;
  }
  if (!atLeast(roleOf(repository, actor.login), need.role)) throw forbidden("Must have admin rights to Repository.");
}

export function granted(app: App, needed: string): boolean {
  const [name = "", level] = needed.split(":");
  const has = app.permissions[name];
  return has === "write" || (has === "read" && level === "read");
}

/** May this actor push commits? */
export function mayPush(repository: Repository, actor: Actor): boolean {
  if (actor.kind === "installation") return mayRead(repository, actor) && granted(actor.app, "contents:write");
  return atLeast(roleOf(repository, actor.login), "write");
}
