/** For tests of runs with a memory: a real Temporal server, Git mirror and store; what is outside of the memory is played. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@temporalio/client";
import { afterAll, beforeAll } from "vitest";
import { createFileArtifacts } from "../../activities/adapters/artifacts/file.ts";
import { createForgetting } from "../../activities/forget.ts";
import { createIndexing } from "../../activities/index-code.ts";
import { createIntake } from "../../activities/intake.ts";
import { createMemoryUpkeep } from "../../activities/memory-upkeep.ts";
import { createRecall } from "../../activities/recall.ts";
import { createRemember } from "../../activities/remember.ts";
import { SettingsOfRuns } from "../../activities/run-settings.ts";
import { issueKey } from "../../activities/ground.ts";
import { putJson } from "../../activities/artifacts.ts";
import type { BriefRef } from "../../activities/contract.ts";
import type { Delivery, Intent } from "../../domain/events.ts";
import { ServiceUnavailable } from "../../domain/errors.ts";
import { issueWorkflowId, memoryWorkflowId } from "../../domain/ids.ts";
import { type Memory, scopeOfRepository } from "../../domain/memory.ts";
import type { MemoryPort } from "../../domain/memory-ports.ts";
import type { Artifacts, Forge, Mirror } from "../../domain/ports.ts";
import type { Permission, RunStatus } from "../../domain/run.ts";
import { RepositorySettings, type RunSettings } from "../../domain/settings.ts";
import { createMemory } from "../../workers/memory.ts";
import {
  deliveryStart,
  HANDLE_DELIVERY,
  RESOLVE_ISSUE,
  type ResolveIssueInput,
  signals,
  statusQuery,
} from "../../workflows/messages.ts";
import { type Bench, createBench, git } from "../git/support.ts";
import { runWorker, temporalClient } from "../support/temporal.ts";
import { type Played, playActivities } from "./played-activities.ts";

export const signal = new AbortController().signal;
export let client: Client;
export let bench: Bench;
let home: string;
export const ends: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  [client, home] = await Promise.all([temporalClient(), mkdtemp(join(tmpdir(), "mergewright-runs-memory-"))]);
  bench = await createBench();
  bench.change({
    "src/invoice.js":
      "export function invoiceTotal(lines, discount) {\n  return lines.reduce((sum, line) => sum + line.price, 0);\n}\n",
    "src/login.js": "export function validateCredentials(name, password) {\n  return password.length > 0;\n}\n",
  });
  publish();
});
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
  await client.connection.close();
  bench.end();
  await rm(home, { recursive: true, force: true });
});

export const publish = (): string => git(bench.work, ["push", "--quiet", bench.cloneUrl, "HEAD:refs/heads/main"]);

export interface Product {
  played: Played;
  memory: MemoryPort;
  artifacts: Artifacts;
  taskQueue: string;
  reactions: unknown[];
  stop(): Promise<void>;
  /** `meanwhile` is done while the run waits for its approval. */
  run(
    repository: string,
    issue: number,
    text: { title: string; body: string },
    meanwhile?: () => Promise<unknown>,
  ): Promise<Ended>;
  deliver(intent: Intent, repository: string, at?: string): Promise<string>;
}
/** One process, one configuration: its activities and its memory hold the same. */
const SECRETS = ["a-secret-of-the-worker"];
interface Ended {
  status: RunStatus;
  briefs: Map<string, BriefRef>;
}

/** A worker whose memory is real. `qdrant`: in that server instead of in a file. */
export async function product({
  qdrant = null,
  settings = {},
  taskQueue,
  embeddings = null,
  mirror = (real) => real,
}: {
  qdrant?: string | null;
  settings?: Record<string, unknown>;
  taskQueue?: string;
  embeddings?: { url: string; model: string; apiKey: string | null } | null;
  /** Puts something around the mirror of the repositories. */
  mirror?: (real: Mirror) => Mirror;
} = {}): Promise<Product> {
  const played = playActivities();
  const own = await mkdtemp(join(home, "home-"));
  const memory = createMemory({
    home: own,
    qdrant: qdrant === null ? null : { url: qdrant, apiKey: null },
    embeddings,
    secrets: () => SECRETS,
  });
  const artifacts = createFileArtifacts(join(own, "artifacts"));
  const runSettings: RunSettings = { ...RepositorySettings.parse(settings), prices: {} };
  const reactions: unknown[] = [];
  const forge = {
    permission: async (_: string, login: string): Promise<Permission> => played.permissions.get(login) ?? "none",
    react: async (...told: [string, { comment: number }]) => {
      if (told[1].comment === 404) throw new ServiceUnavailable("github", "GitHub is away.");
      reactions.push(told);
    },
  } as unknown as Forge;
  const parts = {
    mirror: mirror(bench.another()),
    memory,
    artifacts,
    forge,
    settings: new SettingsOfRuns(artifacts),
    settingsFor: () => runSettings,
    linksFor: () => ({ page: null, webUi: null }),
    secrets: SECRETS,
  };
  const issues = new Map<string, { title: string; body: string }>();
  const { openRun } = played.activities;
  const worker = await runWorker({
    ...(taskQueue === undefined ? {} : { taskQueue }),
    activities: {
      ...played.activities,
      openRun: async (input: Parameters<typeof openRun>[0]) => {
        const { run } = input;
        await parts.settings.write(run, runSettings);
        await putJson(artifacts, issueKey(run), {
          ...issues.get(run.repository),
          repository: run.repository,
          number: run.issue,
          author: "rita",
          labels: [],
          url: "",
          updatedAt: "",
        });
        return { ...(await openRun(input)), cloneUrl: bench.cloneUrl, defaultBranch: "main" };
      },
      ...createIntake(parts),
      ...createIndexing(parts),
      ...createRecall(parts),
      ...createRemember(parts),
      ...createForgetting(parts),
      ...createMemoryUpkeep(parts),
    },
  });
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopping ??= worker.stop().then(() => memory.close()));
  ends.push(stop);
  return {
    stop,
    played,
    memory,
    artifacts,
    taskQueue: worker.taskQueue,
    reactions,
    async run(repository, issue, text, meanwhile = async () => {}) {
      issues.set(repository, text);
      const from = played.calls.length;
      const input: ResolveIssueInput = {
        repository,
        issue,
        snapshot: null,
        trigger: { kind: "labeled", by: "mara", at: new Date().toISOString(), commentId: null },
        settings: runSettings,
        links: { page: null, webUi: null },
      };
      const handle = await client.workflow.start(RESOLVE_ISSUE, {
        workflowId: issueWorkflowId(repository, issue),
        taskQueue: worker.taskQueue,
        args: [input],
      });
      const status = (): Promise<RunStatus> => handle.query(statusQuery);
      await until(async () => (await status()).phase === "awaiting-approval");
      await meanwhile();
      await handle.signal(signals.approveMerge, { by: "mara" });
      await handle.result();
      const briefs = new Map<string, BriefRef>();
      for (const { name, input: given } of played.calls.slice(from)) {
        if (name !== "takeTurn") continue;
        const { role, said } = given as { role: string; said: { kind: string; brief?: BriefRef } };
        if (said.brief && !briefs.has(role)) briefs.set(role, said.brief);
      }
      return { status: await status(), briefs };
    },
    async deliver(intent, repository, at = "2026-02-01T00:00:00.000Z") {
      const delivery: Delivery = {
        guid: randomUUID(),
        repository,
        sender: { login: intent.kind === "teach" ? intent.text.split(" ")[0]! : "mara", id: 1, isBot: false },
        at,
        intent,
      };
      return client.workflow.execute(HANDLE_DELIVERY, deliveryStart(delivery, worker.taskQueue)) as Promise<string>;
    },
  };
}

export async function until(look: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await look()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never came: ${look.toString()}`);
}

/** The writer works beside the runs: it is done when its workflow is. */
export const written = (repository: string): Promise<unknown> =>
  client.workflow.getHandle(memoryWorkflowId(repository)).result();
export const memoriesOf = ({ memory }: Product, repository: string): Promise<Memory[]> =>
  memory.experience.list(scopeOfRepository(repository), {}, signal);
export const fresh = (): string => `acme/r-${randomUUID().slice(0, 8)}`;

export const DISCOUNT = {
  title: "Invoice total ignores the discount",
  body: "invoiceTotal returns the sum of the lines without the discount. Token: a-secret-of-the-worker",
};
export const ALIKE = {
  title: "Discount is missing in the total of an invoice",
  body: "The total of the invoice lacks the discount.",
};

/** A server that takes every connection and never answers. */
export async function hang(): Promise<{ url: string; close(): Promise<void> }> {
  const { createServer } = await import("node:net");
  const open = new Set<import("node:net").Socket>();
  const server = createServer((socket) => void open.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as import("node:net").AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
