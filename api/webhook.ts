/** `POST /webhook/github`: verify, read, decide, make durable, answer. Nothing slow happens before the answer. */
import type { Context } from "hono";
import { ownerOf, readDelivery, routeDelivery } from "../domain/delivery.ts";
import { ServiceUnavailable } from "../domain/errors.ts";
import type { Intent } from "../domain/events.ts";
import type { Triggers } from "../domain/settings.ts";
import type { Counts } from "./counts.ts";
import type { Intake } from "./intake.ts";
import { parseJson } from "./json.ts";
import type { Log } from "./log.ts";
import { problem, type Problem } from "./problem.ts";
import { readBody, type BodyLimits } from "./read-body.ts";
import { signersOf, type SecretsFor } from "./signature.ts";

export interface WebhookDeps {
  intake: Intake;
  secretsFor: SecretsFor;
  triggers: Triggers;
  /** Our account, once it is known; null before that, and for an App, which cannot be assigned. */
  ourLogin: () => string | null;
  log: Log;
  counts: Counts;
  now: () => Date;
  limits?: BodyLimits;
}

/** GitHub sends at most 25 MB, and waits ten seconds; a slow line gets three times that. */
export const WEBHOOK_LIMITS: BodyLimits = { maxBytes: 25 * 1024 * 1024, timeoutMs: 30_000 };

export function webhookHandler(deps: WebhookDeps): (c: Context) => Promise<Response> {
  const { log, counts } = deps;
  return async (c) => {
    const verdict = await receive(c.req.raw, deps);
    const event = c.req.header("x-github-event")?.slice(0, 100) ?? null;
    const delivery = c.req.header("x-github-delivery")?.slice(0, 200) ?? null;
    counts.add("webhook", verdict.kind === "refused" ? verdict.problem.code : verdict.kind);
    switch (verdict.kind) {
      case "refused":
        log.warn({ event, delivery, code: verdict.problem.code }, `webhook refused: ${verdict.problem.message}`);
        return problem(c, verdict.problem);
      case "unknown":
        log.info({ event, delivery }, `webhook ignored: ${verdict.reason}`);
        return c.body(null, 204);
      case "ignored":
        log.info({ event, delivery }, `webhook ignored: ${verdict.reason}`);
        return c.json({ ignored: verdict.reason }, 202);
      case "accepted":
      case "already-accepted":
        log.info({ event, delivery, repository: verdict.repository }, `webhook ${verdict.kind}`);
        return c.json({ accepted: true }, 202);
    }
  };
}

type Verdict =
  | { kind: "accepted" | "already-accepted"; repository: string }
  | { kind: "ignored" | "unknown"; reason: string }
  | { kind: "refused"; problem: Problem };

async function receive(request: Request, deps: WebhookDeps): Promise<Verdict> {
  const type = (request.headers.get("content-type") ?? "application/json").split(";")[0]!.trim().toLowerCase();
  if (!/^application\/(?:[\w.-]+\+)?json$/.test(type)) {
    return refused(415, "not-json", `The body is ${type}. Set the webhook's content type to application/json.`);
  }
  const secrets = deps.secretsFor(null);
  if (secrets.length === 0) {
    return refused(
      503,
      "no-webhook-secret",
      "No webhook secret is set, so nothing can be verified. Set GITHUB_WEBHOOK_SECRET.",
    );
  }

  const body = await readBody(request, deps.limits ?? WEBHOOK_LIMITS);
  if (body.kind !== "read") return notRead(body.kind, deps.limits ?? WEBHOOK_LIMITS);
  const signers = signersOf(body.bytes, request.headers.get("x-hub-signature-256") ?? undefined, secrets);
  if (signers.length === 0) {
    return refused(
      401,
      "bad-signature",
      "X-Hub-Signature-256 does not fit the body. Is the webhook's secret the one set here?",
    );
  }
  return readSigned(body.bytes, signers, request.headers, deps);
}

async function readSigned(bytes: Uint8Array, signers: string[], headers: Headers, deps: WebhookDeps): Promise<Verdict> {
  const guid = headers.get("x-github-delivery") ?? "";
  const eventName = headers.get("x-github-event") ?? "";
  // The delivery's id becomes part of a workflow id.
  if (!/^[\w.:-]{1,200}$/.test(guid))
    return refused(400, "no-delivery-id", "X-GitHub-Delivery is missing or is no id.");
  if (!/^\w{1,100}$/.test(eventName)) return refused(400, "no-event", "X-GitHub-Event is missing or names no event.");

  const parsed = parseJson(bytes);
  if (!parsed.ok) return refused(400, "bad-json", `The body is ${parsed.problem}.`);
  const signedFor = (owner: string): boolean => deps.secretsFor(owner).some((secret) => signers.includes(secret));
  const owner = ownerOf(parsed.value);
  if (owner !== null && !signedFor(owner)) {
    return refused(401, "foreign-secret", `The signature was made with a secret that is not that of ${owner}.`);
  }

  const read = readDelivery(eventName, parsed.value, { guid, receivedAt: deps.now().toISOString() });
  if (read.kind === "malformed") return refused(400, "bad-payload", read.reason);
  if (read.kind === "unknown") return { kind: "unknown", reason: read.reason };
  const routed = routeDelivery(read.event, { triggers: deps.triggers, ourLogin: deps.ourLogin() });
  if (routed.kind === "ignore") return { kind: "ignored", reason: routed.reason };
  const { intent } = routed.delivery;
  // Signed for the owner of today; what was transferred, or is called otherwise now, may have been another's.
  const foreign = namesIn(intent).find((name) => !signedFor(name.split("/", 1)[0]!));
  if (foreign)
    return { kind: "ignored", reason: `the signature was made with a secret that is not that of ${foreign}` };
  try {
    return { kind: await deps.intake.accept(routed.delivery), repository: routed.delivery.repository };
  } catch (error) {
    if (!(error instanceof ServiceUnavailable)) throw error;
    return refused(503, "temporal-unavailable", `The delivery could not be kept: ${error.message}`);
  }
}

/** What is known of these is touched. */
function namesIn(intent: Intent): string[] {
  if (intent.kind === "forget") return intent.repositories;
  return intent.kind === "rename" ? [intent.from, intent.to] : [];
}

function notRead(kind: "too-large" | "too-slow" | "broken-off", { maxBytes, timeoutMs }: BodyLimits): Verdict {
  switch (kind) {
    case "too-large":
      return refused(413, "too-large", `The body is larger than ${maxBytes} bytes.`);
    case "too-slow":
      return refused(408, "too-slow", `The body did not arrive within ${timeoutMs / 1000} s.`);
    case "broken-off":
      return refused(400, "broken-off", "The body broke off.");
  }
}

function refused(status: Problem["status"], code: string, message: string): Verdict {
  return { kind: "refused", problem: { status, code, message } };
}
