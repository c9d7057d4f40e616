/** How a page is shown: in the layout, for whoever is logged in, and never from a cache. Who may not see it gets the login. */
import type { Context } from "hono";
import type { Access } from "../access.ts";
import type { Guard } from "../guard.ts";
import { page, type Html } from "./layout.ts";
import { loginPage } from "./login-page.ts";

export interface Show {
  page(c: Context, title: string, content: Html, liveUrl?: string | null): Response | Promise<Response>;
  /** Instead of what was asked for, as 401. `next`: where the login leads to. */
  login(c: Context, wrong: string | null, next: string, login?: string): Response | Promise<Response>;
}

export function createShow({ guarded }: Pick<Access, "guarded">, guard: Pick<Guard, "session">): Show {
  const show: Show = {
    page(c, title, content, liveUrl = null) {
      c.header("Cache-Control", "no-store");
      return c.html(page({ title, session: guard.session(c), guarded, liveUrl }, content));
    },
    login(c, wrong, next, login = "") {
      c.status(401);
      return show.page(c, "Log in", loginPage({ next: ownPath(next), login, wrong }));
    },
  };
  return show;
}

/** A path on this server; anything else would make the login a way to somewhere else. */
export function ownPath(path: string | null | undefined): string {
  return path && /^\/(?![/\\])[\w%./#-]*$/.test(path) ? path : "/";
}
