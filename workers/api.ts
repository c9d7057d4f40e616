/** The API process: it listens for webhooks, people and programs, and talks to Temporal. */
import type { Client } from "@temporalio/client";
import { createApi } from "../api/app.ts";
import { createChanges, type PermissionOf } from "../api/changes.ts";
import { createIntake } from "../api/intake.ts";
import { createReadiness, type Part } from "../api/readiness.ts";
import { createRuns } from "../api/runs.ts";
import { listen } from "../api/server.ts";
import { webhookSecrets } from "../api/signature.ts";
import type { Config } from "../config/config.ts";
import type { Forge } from "../domain/ports.ts";
import { createMcpHandler } from "../memory/mcp/http.ts";
import { checkQdrant } from "../memory/qdrant.ts";
import { KEEP_MEMORIES, type ResolveIssueInput } from "../workflows/messages.ts";
import { createArtifacts, keptIn } from "./artifacts.ts";
import { clock } from "./clock.ts";
import { lazyClient } from "./connect.ts";
import { troubledDeliveries } from "./delivery-health.ts";
import type { Log } from "./log.ts";
import { mcpOverHttp } from "./mcp.ts";
import { createMemory } from "./memory.ts";
import { payloadReader } from "./payloads/reader.ts";
import { createForges } from "./ports.ts";
import { troubledSchedules } from "./schedule-health.ts";

export interface RunningApi {
  url: string;
  /** Bases of links to our page and to the Temporal Web UI. */
  links: ResolveIssueInput["links"];
  stop(): Promise<void>;
}

export async function startApi(
  config: Config,
  log: Log,
  webUi: string | null = config.temporal.webUi,
): Promise<RunningApi> {
  const { client, connection } = lazyClient(config);
  const forge = createForges(config, log);
  const links: ResolveIssueInput["links"] = { page: config.publicUrl, webUi };
  const runs = createRuns({
    client,
    settingsFor: (repository) => config.settingsFor(repository),
    links: () => links,
    isKept: keptIn(createArtifacts(config)),
  });
  const permissionOf: PermissionOf = (repository, login) => forge.permission(repository, login);
  const memory = createMemory(config, (message) => log.warn(message));
  const changes = createChanges(runs, permissionOf);
  const account = ourLogin(config, forge, log);
  account();
  const app = createApi({
    runs,
    intake: createIntake(client),
    readiness: createReadiness(client, [
      upkeep(client, config),
      { name: "deliveries", check: () => troubledDeliveries(client) },
      { name: "clock", check: async () => clock.wrong },
      ...optionalParts(config),
      waitingMemories(client),
    ]),
    permissionOf,
    log,
    apiToken: config.apiToken,
    secretsFor: webhookSecrets(config.github.webhookSecret, tenantSecrets(config)),
    triggers: config.triggers,
    ourLogin: account,
    payloads: payloadReader(config),
    mcp: createMcpHandler(
      mcpOverHttp(config, {
        runs,
        changes,
        permissionOf,
        memory,
        thresholdOf: (repository) => config.settingsFor(repository).memory.similarity_threshold,
        log,
      }),
    ),
    links: { temporalWebUi: webUi, namespace: config.temporal.namespace, githubWeb: githubWeb(config) },
  });
  const server = await listen(app, { host: config.host, port: config.port, apiToken: config.apiToken });
  links.page ??= server.url;
  log.info({ url: server.url }, "listening");
  return {
    url: server.url,
    links,
    async stop() {
      await server.close();
      await memory.close();
      await connection.close();
    },
  };
}

function tenantSecrets({ tenants }: Config): Map<string, string> {
  const own = [...tenants].flatMap(([owner, { webhookSecret }]) =>
    webhookSecret === null ? [] : [[owner, webhookSecret] as const],
  );
  return new Map(own);
}

/** Our login is needed for the assignment trigger alone: looked up when GitHub answers, asked again until it does. */
function ourLogin(config: Config, forge: Forge, log: Log): () => string | null {
  if (!config.triggers.assigned || config.github.auth?.kind !== "token") return () => null;
  let login: string | null = null;
  let askedAt = 0;
  return () => {
    if (login === null && Date.now() - askedAt > 60_000) {
      askedAt = Date.now();
      forge.viewer("any/repository").then(
        (viewer) => void (login = viewer.login),
        (error: unknown) => log.warn({ err: error }, "our GitHub login is not known yet; assignments start no run"),
      );
    }
    return login;
  };
}

function upkeep(client: Client, config: Config): Part {
  return {
    name: "upkeep",
    async check() {
      const troubled = await troubledSchedules(client, config);
      return troubled.length === 0 ? null : troubled.join("; ");
    },
  };
}

function optionalParts({ qdrant }: Config): Part[] {
  if (qdrant === null) return [];
  return [
    {
      name: "qdrant",
      async check() {
        const answer = await checkQdrant(qdrant);
        return answer.ok ? answer.lack : answer.reason;
      },
    },
  ];
}

/** A writer is done within seconds; one that goes on for longer waits for its store. */
const WRITER_MS = 60_000;

function waitingMemories(client: Client): Part {
  return {
    name: "memory",
    async check() {
      const before = new Date(Date.now() - WRITER_MS).toISOString();
      const { count } = await client.workflow.count(
        `WorkflowType = "${KEEP_MEMORIES}" AND ExecutionStatus = "Running" AND StartTime < "${before}"`,
      );
      return count === 0
        ? null
        : `what ${count} repositories want remembered waits for the store, or for its embeddings; nothing of it is lost`;
    },
  };
}

/** Where people look at issues: the API's host without its `api.`, or its path. */
function githubWeb({ github }: Config): string {
  const url = new URL(github.apiUrl);
  return url.host === "api.github.com" ? "https://github.com" : url.origin;
}
