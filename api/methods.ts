/** "Not like this" is told apart from "not here": which methods an address is answered by. */
import type { Context, Hono } from "hono";
import { problem } from "./problem.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** What stands before every route is registered for all methods, and answers nothing by itself. */
export function methodsAt(app: Hono, path: string): string[] {
  return METHODS.filter((method) => app.router.match(method, path)[0].some(([[, route]]) => route.method === method));
}

export function notAnsweredBy(c: Context, allowed: readonly string[]): Response {
  c.header("Allow", allowed.join(", "));
  const message = `${c.req.path.slice(0, 200)} does not answer ${c.req.method}. Send ${allowed.join(" or ")}.`;
  return problem(c, { status: 405, code: "wrong-method", message });
}
