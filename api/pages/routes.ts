/** The pages: their addresses, their login and their forms. */
import { Hono, type Context } from "hono";
import { deleteCookie, setCookie } from "hono/cookie";
import { runName } from "../../domain/ids.ts";
import { ChangeTask, readRequest } from "../../domain/tasks.ts";
import { sameText, type Access } from "../access.ts";
import type { Changes } from "../changes.ts";
import { CHANGES_NEED_TOKEN, SESSION_COOKIE, type Guard } from "../guard.ts";
import { problem, problemOf } from "../problem.ts";
import { readBody } from "../read-body.ts";
import { readRunPath } from "../run-path.ts";
import type { Runs } from "../runs.ts";
import { assets } from "./assets.ts";
import { notice, page, type Html } from "./layout.ts";
import { runUrl, type PageLinks } from "./links.ts";
import { loginPage } from "./login-page.ts";
import { messagePage } from "./message-page.ts";
import { runPage } from "./run-page.ts";
import { runsPage } from "./runs-page.ts";

export type { PageLinks } from "./links.ts";

export interface PagesDeps {
  runs: Runs;
  changes: Changes;
  access: Access;
  guard: Guard;
  links: PageLinks;
  now: () => Date;
}

const FORM_LIMITS = { maxBytes: 16 * 1024, timeoutMs: 10_000 };
const PREFIX = "/runs/";

export function pages({ runs, changes, access, guard, links, now }: PagesDeps): Hono {
  const app = new Hono();
  const { guarded } = access;

  const show = (c: Context, title: string, content: Html, liveUrl: string | null = null) => {
    c.header("Cache-Control", "no-store");
    return c.html(page({ title, session: guard.session(c), guarded, liveUrl }, content));
  };
  const showLogin = (c: Context, wrong: string | null, next: string, login = "") => {
    c.status(401);
    return show(c, "Log in", loginPage({ next: ownPath(next), login, wrong }));
  };
  const showRun = async (c: Context, id: string, said: Html | null) => {
    const run = await runs.getRun(id);
    if (run === null) {
      c.status(404);
      return show(c, "Not found", messagePage("There is no such run", `Nothing is known of ${id}.`));
    }
    const title = runName(run);
    return show(
      c,
      title,
      runPage({ run, links, session: guard.session(c), guarded, now: now(), said }),
      runUrl(run.id),
    );
  };

  app.get("/assets/:name", (c) => {
    const asset = assets.get(c.req.path);
    if (!asset) return c.notFound();
    return c.body(asset.content, 200, {
      "Content-Type": asset.type,
      "Cache-Control": "public, max-age=31536000, immutable",
    });
  });

  app.get("/login", (c) => {
    if (!guarded) return c.redirect("/", 303);
    return show(c, "Log in", loginPage({ next: ownPath(c.req.query("next")), login: "", wrong: null }));
  });

  app.post("/login", async (c) => {
    if (!guarded) return problem(c, CHANGES_NEED_TOKEN);
    if (isFromElsewhere(c)) return foreignForm(c);
    const form = await readForm(c);
    const next = ownPath(form.get("next"));
    const login = readRequest(ChangeTask, { by: form.get("login") ?? "" });
    if (!access.isToken(form.get("token") ?? "")) {
      guard.wrongToken(c);
      return showLogin(c, "This is not the API token that is set here.", next, form.get("login") ?? "");
    }
    if (!login.ok) return showLogin(c, "Name your GitHub login, as it stands in the address of your profile.", next);
    setCookie(c, SESSION_COOKIE, access.openSession(login.value.by), {
      httpOnly: true,
      sameSite: "Strict",
      path: "/",
      maxAge: access.sessionSeconds,
      secure: isHttps(c),
    });
    return c.redirect(next, 303);
  });

  app.post("/logout", async (c) => {
    const form = await readForm(c);
    const session = guard.session(c);
    if (session && (isFromElsewhere(c) || !sameText(form.get("key") ?? "", session.formKey))) return foreignForm(c);
    deleteCookie(c, SESSION_COOKIE, { path: "/" });
    return c.redirect("/", 303);
  });

  app.get("/", async (c) => {
    if (!guard.maySee(c)) return showLogin(c, null, "/");
    return show(c, "Runs", runsPage(await runs.listRuns(), links, now()), "/");
  });

  app.get("/runs/*", async (c) => {
    if (!guard.maySee(c)) return showLogin(c, null, new URL(c.req.url).pathname);
    const path = readRunPath(c.req.url, PREFIX);
    // The address of a button, opened as a page after it was pressed.
    if (path?.change) return c.redirect(runUrl(path.id), 303);
    return showRun(c, path?.id ?? "this address", null);
  });

  app.post("/runs/*", async (c) => {
    if (!guarded) return problem(c, CHANGES_NEED_TOKEN);
    const path = readRunPath(c.req.url, PREFIX);
    if (path === null || path.change === null || path.change === "fork") return c.notFound();
    const session = guard.session(c);
    if (!session) return showLogin(c, "Your session has ended. Log in, then try again.", runUrl(path.id));
    const form = await readForm(c);
    if (isFromElsewhere(c) || !sameText(form.get("key") ?? "", session.formKey)) return foreignForm(c);

    const input = { by: session.login, sha: form.get("sha") || undefined, reason: form.get("reason") || undefined };
    const request = readRequest(ChangeTask, input);
    const changed = request.ok
      ? await changes
          .change(path.id, path.change, request.value)
          .catch((error: unknown) => ({ ok: false as const, problem: problemOf(error) }))
      : { ok: false as const, problem: { status: 422 as const, code: "invalid", message: request.problem } };
    if (changed.ok) return c.redirect(runUrl(path.id), 303);
    c.status(changed.problem.status);
    return showRun(c, path.id, notice("bad", changed.problem.message));
  });

  return app;
}

async function readForm(c: Context): Promise<URLSearchParams> {
  const body = await readBody(c.req.raw, FORM_LIMITS);
  return new URLSearchParams(body.kind === "read" ? Buffer.from(body.bytes).toString("utf8") : "");
}

/** Browsers say where a form comes from; what says nothing is no browser, and has no cookie of anybody's. */
function isFromElsewhere(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const origin = c.req.header("origin");
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== c.req.header("host"));
}

function foreignForm(c: Context): Response {
  return problem(c, {
    status: 403,
    code: "foreign-form",
    message: "This form was not sent from a page of ours. Open the page anew and try again.",
  });
}

/** A path on this server; anything else would make the login a way to somewhere else. */
function ownPath(path: string | null | undefined): string {
  return path && /^\/(?![/\\])[\w%./#-]*$/.test(path) ? path : "/";
}

function isHttps(c: Context): boolean {
  return new URL(c.req.url).protocol === "https:" || c.req.header("x-forwarded-proto") === "https";
}
