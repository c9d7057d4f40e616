/** Who is who: users, Apps, installations and their tokens. */
import { randomBytes } from "node:crypto";
import type { Actor } from "../access.ts";
import { type Answer, forbidden, notFound, Refusal } from "../http.ts";
import { now, type Played } from "../played.ts";
import { renderApp, renderProfile, renderUser } from "../render.ts";
import { type Route, route } from "../router.ts";
import { type App, findAccount, findRepository, type Installation } from "../world.ts";

export const accountRoutes: Route[] = [
  route("GET", "/user", ({ played, actor }) => {
    if (actor.kind === "anonymous") throw new Refusal(401, "Requires authentication");
    if (actor.kind !== "user") throw forbidden("Resource not accessible by integration");
    return { status: 200, body: renderProfile(played, actor.account) };
  }),

  route("GET", "/users/{username}", ({ played, params }) => {
    const account = findAccount(played.world, params["username"] ?? "");
    if (!account) throw notFound();
    return { status: 200, body: renderProfile(played, account) };
  }),

  route("GET", "/app", ({ played, actor }) => ({ status: 200, body: renderApp(played, appOnly(actor)) })),

  route("GET", "/repos/{owner}/{repo}/installation", ({ played, actor, params }): Answer => {
    const app = appOnly(actor);
    const repository = findRepository(played.world, `${params["owner"]}/${params["repo"]}`);
    const installation = played.world.installations.find(
      (candidate) => candidate.appId === app.id && candidate.owner.toLowerCase() === repository?.owner.toLowerCase(),
    );
    if (!repository || !installation) throw notFound();
    return { status: 200, body: renderInstallation(played, app, installation) };
  }),

  route("POST", "/app/installations/{installation_id}/access_tokens", ({ played, actor, params }) => {
    const app = appOnly(actor);
    const installation = played.world.installations.find(
      (candidate) => candidate.appId === app.id && String(candidate.id) === params["installation_id"],
    );
    if (!installation) throw notFound();
    if (installation.suspendedAt !== null) throw forbidden("This installation has been suspended");
    const expiresAt = `${new Date(Date.now() + 3_600_000).toISOString().slice(0, 19)}Z`;
    // The form of GitHub's installation tokens: prefix, App, and dots inside.
    const token = `ghs_${app.id}_${[60, 200, 100].map((size) => randomBytes(size).toString("base64url")).join(".")}`;
    played.world.installationTokens.push({ token, installationId: installation.id, expiresAt });
    const body = { token, expires_at: expiresAt, permissions: app.permissions, repository_selection: "all" };
    return { status: 201, body };
  }),
];

function appOnly(actor: Actor): App {
  if (actor.kind !== "app") throw new Refusal(401, "A JSON web token could not be decoded");
  return actor.app;
}

function renderInstallation(played: Played, app: App, installation: Installation): Record<string, unknown> {
  const account = findAccount(played.world, installation.owner);
  return {
    id: installation.id,
    app_id: app.id,
    app_slug: app.slug,
    target_id: account?.id ?? 0,
    target_type: account?.type ?? "User",
    account: renderUser(played, installation.owner),
    repository_selection: "all",
    access_tokens_url: `${played.base}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${played.base}/installation/repositories`,
    html_url: `${played.base}/settings/installations/${installation.id}`,
    permissions: app.permissions,
    events: app.events,
    single_file_name: null,
    created_at: now(),
    updated_at: now(),
    suspended_by: null,
    suspended_at: installation.suspendedAt,
  };
}
