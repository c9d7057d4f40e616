/** The pages: their addresses, and what their buttons do. */
import { Hono, type Context } from "hono";
import { runName } from "../../domain/ids.ts";
import { ChangeTask, readRequest } from "../../domain/tasks.ts";
import type { Access } from "../access.ts";
import type { Changes } from "../changes.ts";
import { CHANGES_NEED_TOKEN, type Guard } from "../guard.ts";
import { problem, problemOf } from "../problem.ts";
import { readRunPath } from "../run-path.ts";
import type { Runs } from "../runs.ts";
import { assets } from "./assets.ts";
import { foreignForm, isOurForm, readForm } from "./forms.ts";
import { notice, type Html } from "./layout.ts";
import { runUrl, type PageLinks } from "./links.ts";
import { loginRoutes } from "./login.ts";
import { messagePage } from "./message-page.ts";
import { runPage } from "./run-page.ts";
import { runsPage } from "./runs-page.ts";
import { createShow } from "./show.ts";

export type { PageLinks } from "./links.ts";

export interface PagesDeps {
  runs: Runs;
  changes: Changes;
  access: Access;
  guard: Guard;
  links: PageLinks;
  now: () => Date;
}

const PREFIX = "/runs/";

export function pages({ runs, changes, access, guard, links, now }: PagesDeps): Hono {
  const app = new Hono();
  const { guarded } = access;

  const show = createShow(access, guard);
  const showRun = async (c: Context, id: string, said: Html | null) => {
    const run = await runs.getRun(id);
    if (run === null) {
      c.status(404);
      return show.page(c, "Not found", messagePage("There is no such run", `Nothing is known of ${id}.`));
    }
    const title = runName(run);
    return show.page(
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

  app.route("/", loginRoutes(access, guard, show));

  app.get("/", async (c) => {
    if (!guard.maySee(c)) return show.login(c, null, "/");
    return show.page(c, "Runs", runsPage(await runs.listRuns(), links, now()), "/");
  });

  app.get("/runs/*", async (c) => {
    if (!guard.maySee(c)) return show.login(c, null, new URL(c.req.url).pathname);
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
    if (!session) return show.login(c, "Your session has ended. Log in, then try again.", runUrl(path.id));
    const form = await readForm(c);
    if (!isOurForm(c, form, session)) return foreignForm(c);

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
