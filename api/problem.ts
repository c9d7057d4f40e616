/** One form for everything that went wrong: `{ error: { code, message } }`. */
import type { Context } from "hono";
import { AccessDenied, MergewrightError, NotFound, RateLimited, ServiceUnavailable } from "../domain/errors.ts";

export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 422 | 429 | 500 | 502 | 503;

export interface Problem {
  status: ProblemStatus;
  code: string;
  message: string;
}

export function problem(c: Context, { status, code, message }: Problem): Response {
  return c.json({ error: { code, message } }, status);
}

/** What to tell somebody about an error that reached the door. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ServiceUnavailable || error instanceof RateLimited) {
    return { status: 503, code: `${error.service.toLowerCase()}-unavailable`, message: error.message };
  }
  if (error instanceof AccessDenied) {
    return { status: 502, code: `${error.service.toLowerCase()}-refused-us`, message: error.message };
  }
  if (error instanceof NotFound) return { status: 404, code: "not-found", message: error.message };
  if (error instanceof MergewrightError) return { status: 502, code: "failed-outside", message: error.message };
  return { status: 500, code: "internal", message: "Something went wrong in Mergewright; its log says what." };
}
