/** Logging in with the API token and a GitHub login, and out again. */
import { Hono, type Context } from "hono";
import { deleteCookie, setCookie } from "hono/cookie";
import { ChangeTask, readRequest } from "../../domain/tasks.ts";
import type { Access } from "../access.ts";
import { CHANGES_NEED_TOKEN, SESSION_COOKIE, type Guard } from "../guard.ts";
import { problem } from "../problem.ts";
import { foreignForm, isFromElsewhere, isOurForm, readForm } from "./forms.ts";
import { loginPage } from "./login-page.ts";
import { ownPath, type Show } from "./show.ts";

export function loginRoutes(access: Access, guard: Guard, show: Show): Hono {
  const app = new Hono();
  const { guarded } = access;

  app.get("/login", (c) => {
    if (!guarded) return c.redirect("/", 303);
    return show.page(c, "Log in", loginPage({ next: ownPath(c.req.query("next")), login: "", wrong: null }));
  });

  app.post("/login", async (c) => {
    if (!guarded) return problem(c, CHANGES_NEED_TOKEN);
    if (isFromElsewhere(c)) return foreignForm(c);
    const form = await readForm(c);
    const next = ownPath(form.get("next"));
    const login = readRequest(ChangeTask, { by: form.get("login") ?? "" });
    if (!access.isToken(form.get("token") ?? "")) {
      guard.wrongToken(c);
      return show.login(c, "This is not the API token that is set here.", next, form.get("login") ?? "");
    }
    if (!login.ok) return show.login(c, "Name your GitHub login, as it stands in the address of your profile.", next);
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
    if (session && !isOurForm(c, form, session)) return foreignForm(c);
    deleteCookie(c, SESSION_COOKIE, { path: "/" });
    return c.redirect("/", 303);
  });

  return app;
}

function isHttps(c: Context): boolean {
  return new URL(c.req.url).protocol === "https:" || c.req.header("x-forwarded-proto") === "https";
}
