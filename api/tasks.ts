/** The JSON API: `/api/tasks`. A task is a run; its id is the percent-encoded workflow id. */
import { Hono, type Context } from "hono";
import { ApproveTask, ChangeTask, ForkTask, ListTasks, readRequest, StartTask, TASK_CHANGES } from "../domain/tasks.ts";
import type { Changes } from "./changes.ts";
import { parseJson } from "./json.ts";
import { notAnsweredBy } from "./methods.ts";
import { problem, type Problem } from "./problem.ts";
import { readBody } from "./read-body.ts";
import { readRunPath } from "./run-path.ts";
import type { Runs } from "./runs.ts";

const PREFIX = "/api/tasks/";
const BODY_LIMITS = { maxBytes: 64 * 1024, timeoutMs: 10_000 };

export function tasks(runs: Runs, changes: Changes): Hono {
  const app = new Hono();

  app.get("/api/tasks", async (c) => {
    const query = readRequest(ListTasks, c.req.query());
    if (!query.ok) return problem(c, invalid(query.problem));
    const { limit } = query.value;
    return c.json(await runs.listRuns(limit === undefined ? {} : { limit }));
  });

  app.post("/api/tasks", async (c) => {
    const body = await readJson(c);
    if (!body.ok) return problem(c, body.problem);
    const request = readRequest(StartTask, body.value);
    if (!request.ok) return problem(c, invalid(request.problem));
    const started = await changes.start(request.value);
    return started.ok ? c.json({ id: started.id, started: started.started }, 202) : problem(c, started.problem);
  });

  app.get("/api/tasks/*", async (c) => {
    const path = readRunPath(c.req.url, PREFIX);
    if (path !== null && path.change !== null) return notAnsweredBy(c, ["POST"]);
    const run = path && (await runs.getRun(path.id));
    return run === null ? problem(c, noSuchRun(c)) : c.json(run);
  });

  app.post("/api/tasks/*", async (c) => {
    const path = readRunPath(c.req.url, PREFIX);
    if (path === null || path.change === null) return problem(c, noSuchChange(c));
    const body = await readJson(c);
    if (!body.ok) return problem(c, body.problem);
    if (path.change === "fork") {
      const wanted = readRequest(ForkTask, body.value);
      if (!wanted.ok) return problem(c, invalid(wanted.problem));
      const forked = await changes.fork(path.id, wanted.value);
      return forked.ok ? c.json({ id: forked.id, of: path.id }, 202) : problem(c, forked.problem);
    }
    const request = readRequest(path.change === "approve" ? ApproveTask : ChangeTask, body.value);
    if (!request.ok) return problem(c, invalid(request.problem));
    const changed = await changes.change(path.id, path.change, request.value);
    return changed.ok ? c.json({ id: path.id, accepted: true }, 202) : problem(c, changed.problem);
  });

  return app;
}

async function readJson(c: Context): Promise<{ ok: true; value: unknown } | { ok: false; problem: Problem }> {
  const body = await readBody(c.req.raw, BODY_LIMITS);
  if (body.kind === "too-large") {
    return {
      ok: false,
      problem: { status: 413, code: "too-large", message: `The body is larger than ${BODY_LIMITS.maxBytes} bytes.` },
    };
  }
  if (body.kind !== "read")
    return { ok: false, problem: { status: 408, code: body.kind, message: "The body did not arrive." } };
  const parsed = parseJson(body.bytes);
  return parsed.ok ? parsed : { ok: false, problem: invalid(`the body is ${parsed.problem}`) };
}

function invalid(message: string): Problem {
  return { status: 422, code: "invalid", message };
}

function noSuchRun(c: Context): Problem {
  return {
    status: 404,
    code: "not-found",
    message: `There is no run at ${c.req.path.slice(0, 200)}. An id looks like issue%2FOWNER%2FREPO%2FNUMBER.`,
  };
}

function noSuchChange(c: Context): Problem {
  const changes = [...TASK_CHANGES, "fork"].join(", ");
  return {
    status: 404,
    code: "not-found",
    message: `There is nothing to do at ${c.req.path.slice(0, 200)}. Send to ${PREFIX}issue%2FOWNER%2FREPO%2FNUMBER/ACTION, where ACTION is one of ${changes}.`,
  };
}
