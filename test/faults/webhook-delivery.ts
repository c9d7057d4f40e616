/** Deliveries as GitHub makes them, sent by the test itself: in which order, how often and how broken is its own choice. */
import { createHmac, randomUUID } from "node:crypto";
import type { DeliveryRecord } from "../../demo/github/hooks.ts";
import type { Stage } from "../../demo/stage.ts";
import { until } from "../e2e/support.ts";

export interface Sent {
  guid: string;
  status: number;
  text: string;
  durationMs: number;
}

export interface Sending {
  event?: string;
  guid?: string;
  secret?: string;
  /** Over the usual ones; null leaves one out. */
  headers?: Record<string, string | null>;
}

export function signature(secret: string, body: string | Uint8Array, algorithm = "sha256"): string {
  return `${algorithm}=${createHmac(algorithm, secret).update(body).digest("hex")}`;
}

export function headersOf(stage: Stage, body: string | Uint8Array, sending: Sending = {}): Record<string, string> {
  const headers: Record<string, string | null> = {
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot/played",
    "x-github-event": sending.event ?? "issues",
    "x-github-delivery": sending.guid ?? randomUUID(),
    "x-hub-signature-256": signature(sending.secret ?? stage.webhookSecret, body),
    ...sending.headers,
  };
  return Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== null));
}

export async function send(stage: Stage, body: string | Uint8Array, sending: Sending = {}): Promise<Sent> {
  const guid = sending.guid ?? randomUUID();
  const headers = headersOf(stage, body, { ...sending, guid });
  const started = performance.now();
  const answer = await fetch(`${stage.url}/webhook/github`, {
    method: "POST",
    body: body as Uint8Array<ArrayBuffer> | string,
    headers,
  });
  return { guid, status: answer.status, text: await answer.text(), durationMs: performance.now() - started };
}

/** What GitHub has noted down for this issue; the webhook is switched off, so the test delivers it. */
export async function recorded(stage: Stage, event: string, action: string, issue: number): Promise<DeliveryRecord> {
  return until(`the delivery ${event}.${action} of #${issue}`, async () => {
    const all = await stage.github.people.deliveries();
    return all.findLast(
      (record) =>
        record.event === event &&
        record.action === action &&
        (JSON.parse(record.payload) as { issue?: { number: number } }).issue?.number === issue,
    );
  });
}

/** An issue with our label, opened by a maintainer while nobody listens, and what GitHub would tell of it. */
export async function openIssue(
  stage: Stage,
  title = "Shows 60s where a minute is meant",
): Promise<{ number: number; opened: DeliveryRecord }> {
  const { number } = await stage.github.people
    .as(stage.maintainer)
    .openIssue(stage.repository, { title, body: "59.7 s.", labels: ["mergewright"] });
  return { number, opened: await recorded(stage, "issues", "opened", number) };
}

/** The same payload with other facts, as another event of the same issue would carry it. */
export function changed(record: DeliveryRecord, change: object, issue: object = {}): string {
  const payload = JSON.parse(record.payload) as { issue: object };
  return JSON.stringify({ ...payload, ...change, issue: { ...payload.issue, ...issue } });
}

/** A maintainer approves the run's pull request at a commit. */
export function approvalOf(stage: Stage, issue: number, sha: string): string {
  const repository = { full_name: stage.repository };
  return JSON.stringify({
    action: "submitted",
    repository,
    sender: { login: stage.maintainer, id: 2, type: "User" },
    review: {
      state: "approved",
      body: "",
      commit_id: sha,
      submitted_at: new Date().toISOString(),
      user: { login: stage.maintainer, id: 2, type: "User" },
    },
    pull_request: { number: 9_000, head: { ref: `mergewright/issue-${issue}`, sha, repo: repository } },
  });
}
