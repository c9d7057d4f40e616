/** Everything that is answered over HTTP. What it needs is handed to it; it reads no environment and makes no clients. */
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { Triggers } from "../domain/settings.ts";
import { createAccess } from "./access.ts";
import { codec, type PayloadReader } from "./codec.ts";
import { createChanges, type PermissionOf } from "./changes.ts";
import { createCounts, type Counts } from "./counts.ts";
import { createGuard } from "./guard.ts";
import type { Intake } from "./intake.ts";
import type { Log } from "./log.ts";
import { mcp, type McpHandler } from "./mcp.ts";
import { methodsAt, notAnsweredBy } from "./methods.ts";
import { pages, type PageLinks } from "./pages/routes.ts";
import { problem, problemOf } from "./problem.ts";
import { createRateLimit } from "./rate-limit.ts";
import type { BodyLimits } from "./read-body.ts";
import type { Readiness } from "./readiness.ts";
import type { Runs } from "./runs.ts";
import type { SecretsFor } from "./signature.ts";
import { tasks } from "./tasks.ts";
import { webhookHandler } from "./webhook.ts";

export interface ApiDeps {
  runs: Runs;
  intake: Intake;
  readiness: Readiness;
  permissionOf: PermissionOf;
  log: Log;
  /** `null`: everybody may look, nobody may change; listen on loopback only (`assertListenAddress`). */
  apiToken: string | null;
  secretsFor: SecretsFor;
  triggers: Triggers;
  /** Our account, once it is known; null before that, and for an App, which cannot be assigned. */
  ourLogin: () => string | null;
  links: PageLinks;
  /** Reads encrypted and large payloads for the Temporal Web UI; absent: nobody asks. */
  payloads?: PayloadReader;
  /** Speaks the Model Context Protocol; absent: nobody does. */
  mcp?: McpHandler;
  counts?: Counts;
  now?: () => Date;
  /** For one client address: this many at once, then so many a second. */
  rate?: { burst: number; perSecond: number };
  webhookLimits?: BodyLimits;
}

/** Several pages open, each asking every other second, and a script beside them. */
const RATE = { burst: 100, perSecond: 20 };
const CODEC_RATE = { burst: 2000, perSecond: 200 };

export function createApi(deps: ApiDeps): Hono {
  const { runs, readiness, log, secretsFor, apiToken, links, counts = createCounts(), now = () => new Date() } = deps;
  const access = createAccess(apiToken, now);
  const guard = createGuard(access, createRateLimit({ ...(deps.rate ?? RATE), now }));
  const changes = createChanges(runs, deps.permissionOf);
  const app = new Hono();

  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
      referrerPolicy: "no-referrer",
      xFrameOptions: "DENY",
      // Whether this is reached over HTTPS is decided by what stands before it.
      strictTransportSecurity: false,
    }),
  );

  app.get("/health", (c) => c.json({ status: "ok" }));
  app.get("/ready", async (c) => {
    const report = await readiness();
    const webhook =
      secretsFor(null).length > 0 ? "ok" : "no webhook secret is set (GITHUB_WEBHOOK_SECRET); deliveries are refused";
    const parts = { ...report.parts, webhook };
    const degraded = webhook === "ok" ? report.degraded : [...report.degraded, "webhook"];
    return c.json({ status: report.ready ? "ready" : "not ready", parts, degraded }, report.ready ? 200 : 503);
  });
  const webhook = webhookHandler({
    intake: deps.intake,
    secretsFor,
    triggers: deps.triggers,
    ourLogin: deps.ourLogin,
    log,
    counts,
    now,
    ...(deps.webhookLimits ? { limits: deps.webhookLimits } : {}),
  });
  app.post("/webhook/github", webhook);

  if (deps.payloads) {
    // The Web UI asks for each event of a history: it has a rate of its own.
    const codecGuard = createGuard(access, createRateLimit({ ...CODEC_RATE, now }));
    app.use("/codec/*", codecGuard.everything);
    app.route("/", codec(deps.payloads, codecGuard, links.temporalWebUi));
  }
  app.use(guard.everything);
  app.use("/api/*", guard.api);
  app.route("/", tasks(runs, changes));
  if (deps.mcp) {
    app.use("/mcp", guard.token);
    app.route("/", mcp(deps.mcp));
  }
  app.route("/", pages({ runs, changes, access, guard, links, now }));

  app.notFound((c) => {
    const allowed = methodsAt(app, c.req.path);
    if (allowed.length > 0 && !allowed.includes(c.req.method)) return notAnsweredBy(c, allowed);
    return problem(c, { status: 404, code: "not-found", message: `There is nothing at ${c.req.path.slice(0, 200)}.` });
  });
  app.onError((error, c) => {
    const told = problemOf(error);
    log[told.status === 500 ? "error" : "warn"](
      { err: error, path: c.req.path, code: told.code },
      `request failed: ${error.message}`,
    );
    return problem(c, told);
  });
  return app;
}
