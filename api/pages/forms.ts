/** Forms as a browser sends them: read, and refused when they come from somebody else's page. */
import type { Context } from "hono";
import { sameText, type Session } from "../access.ts";
import { problem } from "../problem.ts";
import { readBody } from "../read-body.ts";

const FORM_LIMITS = { maxBytes: 16 * 1024, timeoutMs: 10_000 };

export async function readForm(c: Context): Promise<URLSearchParams> {
  const body = await readBody(c.req.raw, FORM_LIMITS);
  return new URLSearchParams(body.kind === "read" ? Buffer.from(body.bytes).toString("utf8") : "");
}

/** Sent from a page that we gave to this session. */
export function isOurForm(c: Context, form: URLSearchParams, session: Session): boolean {
  return !isFromElsewhere(c) && sameText(form.get("key") ?? "", session.formKey);
}

/** Browsers say where a form comes from; what says nothing is no browser, and has no cookie of anybody's. */
export function isFromElsewhere(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const origin = c.req.header("origin");
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== c.req.header("host"));
}

export function foreignForm(c: Context): Response {
  return problem(c, {
    status: 403,
    code: "foreign-form",
    message: "This form was not sent from a page of ours. Open the page anew and try again.",
  });
}
