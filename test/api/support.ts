/** An API over the real Temporal server, with stand-in workflows behind it, and deliveries as GitHub signs them. */
import { createHmac, randomUUID } from "node:crypto";
import type { Client } from "@temporalio/client";
import type { Hono } from "hono";
import { createApi, type ApiDeps } from "../../api/app.ts";
import { createCounts, type Counts } from "../../api/counts.ts";
import { createIntake, type Intake } from "../../api/intake.ts";
import { createReadiness, type Readiness } from "../../api/readiness.ts";
import { createRuns, type Runs } from "../../api/runs.ts";
import { webhookSecrets } from "../../api/signature.ts";
import type { Delivery } from "../../domain/events.ts";
import type { Permission } from "../../domain/run.ts";
import { RepositorySettings, Triggers } from "../../domain/settings.ts";
import { runWorker, temporalClient, type RunningWorker } from "../support/temporal.ts";

export const SECRET = "a secret of our own";
export const TOKEN = "a-token-of-our-own";

export interface World {
  client: Client;
  taskQueue: string;
  runs: Runs;
  intake: Intake;
  worker: RunningWorker;
  /** A repository name that no other test uses. */
  repository(): string;
  stop(): Promise<void>;
}

export async function createWorld(): Promise<World> {
  const client = await temporalClient();
  const worker = await runWorker({ workflowsPath: new URL("./stand-in/workflows.ts", import.meta.url).pathname });
  const { taskQueue } = worker;
  const runs = createRuns({
    client,
    settingsFor: () => ({ ...RepositorySettings.parse({}), prices: {} }),
    links: () => ({ page: null, webUi: null }),
    isKept: async () => true,
    taskQueue,
  });
  return {
    client,
    taskQueue,
    runs,
    worker,
    intake: createIntake(client, taskQueue),
    repository: () => `Acme/shop-${randomUUID().slice(0, 8)}`,
    async stop() {
      await worker.stop();
      await client.connection.close();
    },
  };
}

export interface TestApi {
  app: Hono;
  counts: Counts;
  /** What reached the intake. */
  deliveries: Delivery[];
  logged: string[];
}

/** By default nothing behind it is real: hand in parts of a World where they should be. */
export function createTestApi(parts: Partial<ApiDeps> = {}): TestApi {
  const deliveries: Delivery[] = [];
  const logged: string[] = [];
  const note = (fields: object, message: string) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const counts = createCounts();
  const app = createApi({
    runs: unused,
    intake: {
      accept: async (delivery) => {
        deliveries.push(delivery);
        return "accepted";
      },
    },
    readiness: async () => ({ ready: true, parts: { temporal: "ok" }, degraded: [] }),
    permissionOf: async (_repository, login): Promise<Permission> => (login === "stranger" ? "read" : "write"),
    log: { info: note, warn: note, error: note },
    apiToken: TOKEN,
    secretsFor: webhookSecrets(SECRET),
    triggers: Triggers.parse({}),
    ourLogin: () => "wright",
    links: { githubWeb: "https://github.example", temporalWebUi: "http://127.0.0.1:8233", namespace: "default" },
    counts,
    ...parts,
  });
  return { app, counts, deliveries, logged };
}

const nothing = async (): Promise<never> => {
  throw new Error("This test was not to reach the runs.");
};
const unused: Runs = {
  startRun: nothing,
  listRuns: nothing,
  getRun: nothing,
  send: nothing,
  fork: nothing,
  cancel: nothing,
};

export function readinessOf(world: World): Readiness {
  return createReadiness(world.client, [], world.taskQueue);
}

export function sign(body: string | Uint8Array, secret = SECRET): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

export interface Sent {
  event?: string;
  guid?: string;
  headers?: Record<string, string>;
}

/** A delivery as GitHub sends it; `headers` add to and override its headers. */
export function delivery(
  body: string | Uint8Array,
  { event = "issues", guid = randomUUID(), headers = {} }: Sent = {},
): RequestInit {
  return {
    method: "POST",
    body: body as Uint8Array<ArrayBuffer> | string,
    headers: {
      "content-type": "application/json",
      "x-github-event": event,
      "x-github-delivery": guid,
      "x-hub-signature-256": sign(body),
      ...headers,
    },
  };
}

/** An issue that somebody opens with our label. */
export function opened(repository = "Acme/Shop", issue: object = {}): string {
  return JSON.stringify({
    action: "opened",
    repository: { full_name: repository },
    sender: { login: "ada", id: 7, type: "User" },
    issue: {
      number: 5,
      title: "Total is wrong",
      body: "It is 3, not 2.",
      user: { login: "ada", id: 7, type: "User" },
      labels: [{ name: "mergewright" }],
      state: "open",
      html_url: `https://github.example/${repository}/issues/5`,
      updated_at: "2026-01-01T00:00:00Z",
      ...issue,
    },
  });
}

export async function code(response: Response): Promise<string> {
  const body = (await response.json()) as { error: { code: string; message: string } };
  return body.error.code;
}
