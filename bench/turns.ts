/**
 * What a turn costs outside the model: `npm run bench:turns [-- --turns N --server file|memory --json]`. The product
 * runs as a process of its own against a played model and a played GitHub; beside it the same turns without it.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { startGitHub } from "../demo/github/server.ts";
import { benchScenario } from "../demo/model/bench.ts";
import type { LedgerEntry } from "../demo/model/ledger.ts";
import { aboutIssue } from "../demo/model/scenario.ts";
import { type PlayedModel, startModel } from "../demo/model/server.ts";
import { startProduct, untilReady } from "../demo/product.ts";
import { systemPrompt } from "../agents/roles.ts";
import { agentWorkflowId, issueWorkflowId } from "../domain/ids.ts";
import { RepositorySettings } from "../domain/settings.ts";
import { startTemporalServer } from "../test/support/temporal-server.ts";
import { freePort } from "../workers/temporal-process.ts";
import { findTemporalServer } from "../workers/temporal-state.ts";
import { readArguments } from "./arguments.ts";
import { bareLoop } from "./bare-loop.ts";
import { breakdownOf } from "./breakdown.ts";
import { memoryOf } from "./process-memory.ts";
import { measured, rounded, spread, type Spread } from "./statistics.ts";

interface Report {
  turns: number;
  /** Milliseconds from the last byte of a reply to the first byte of the next request, the trivial command included. */
  gapMs: Spread;
  /** From the webhook's delivery to the first request to the model, on a warm worker. */
  firstRequestMs: number;
  historyEventsPerTurn: number;
  historyBytesPerTurn: number;
  requestBytes: { first: number; last: number; total: number };
  workerRssMb: { start: number; peak: number };
  server: ServerKind;
  sandbox: "docker" | "local";
  bare: { gapMs: Spread };
}

type ServerKind = "file" | "memory";
const SERVERS: readonly ServerKind[] = ["file", "memory"];

const REPOSITORY = "bench/turns";
const WARM_UP = "Warm-up";
const MEASURED = "Measured turns";

const flags = readArguments("Usage: npm run bench:turns -- [--turns N (2 or more)] [--server file|memory] [--json]", {
  turns: { kind: "count", default: 50, atLeast: 2 },
  server: { kind: "choice", choices: SERVERS, default: null },
  json: { kind: "switch" },
});
const { turns, server: asked } = flags;

if (flags.json) {
  process.stdout.write(`${JSON.stringify(await measure(asked ?? "file"), null, 2)}\n`);
} else {
  for (const each of asked ? [asked] : SERVERS) print(await measure(each));
}
process.exit(0);

async function measure(server: ServerKind): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), "mergewright-bench-"));
  const model = await startModel({
    scenarios: [
      benchScenario({ turns: 5, matches: aboutIssue(WARM_UP) }),
      benchScenario({ turns, matches: aboutIssue(MEASURED) }),
    ],
  });
  const port = await freePort();
  const github = await startGitHub({
    webhook: { url: `http://127.0.0.1:${port}/webhook/github`, secret: "bench" },
    accounts: [{ login: "mara" }, { login: "bot" }],
    repositories: [
      { name: REPOSITORY, files: { "README.md": "# Bench\n" }, permissions: { mara: "write", bot: "write" } },
    ],
  });
  const memoryServer = server === "memory" ? await startTemporalServer() : null;
  const logFile = join(folder, "mergewright.log");
  const local = process.env["EXECUTION_MODE"]?.startsWith("local") ?? false;
  await writeFile(
    join(folder, "mergewright.yaml"),
    `limits: { turns: ${turns + 10}, budget_usd: 10000, verification_rounds: 0 }\n`,
  );
  const product = startProduct({
    command: ["start"],
    cwd: folder,
    logFile,
    env: {
      LOG_LEVEL: "info",
      MERGEWRIGHT_HOME: join(folder, "home"),
      PORT: String(port),
      GITHUB_API_URL: github.apiUrl,
      GITHUB_TOKEN: await github.people.token("bot"),
      GITHUB_WEBHOOK_SECRET: "bench",
      GITHUB_WRITE_SPACING_MS: "0",
      ANTHROPIC_API_KEY: "played",
      ANTHROPIC_BASE_URL: model.url,
      ...(memoryServer ? { TEMPORAL_ADDRESS: memoryServer.address } : {}),
      ...handedOn(["TEMPORAL_CLI", "DOCKER_IMAGE", "EXECUTION_MODE"]),
    },
  });
  try {
    await untilReady(product, `http://127.0.0.1:${port}`, logFile);
    const address = memoryServer?.address ?? findTemporalServer(join(folder, "home"))!.address;
    const connection = await Connection.connect({ address });
    const client = new Client({ connection });
    const pid = product.process.pid!;

    await run(WARM_UP);
    const before = await memoryOf(pid);
    const { id, deliveredAt, startedMs } = await run(MEASURED);
    const after = await memoryOf(pid);
    const entries = model.ledger.read().entries.filter((entry) => entry.receivedMs >= startedMs);
    const coder = entries.filter((entry) => entry.role === "coder");
    const { historyLength, historySize } = await client.workflow.getHandle(agentWorkflowId(id, "coder", 1)).describe();
    if (!flags.json)
      process.stdout.write(`${JSON.stringify(await breakdownOf(client, agentWorkflowId(id, "coder", 1)), null, 2)}\n`);
    await connection.close();
    const bare = await measureBare(model, local);
    return {
      turns,
      gapMs: spread(measured("no turn followed another", gaps(coder))),
      firstRequestMs: rounded(entries[0]!.receivedMs - deliveredAt),
      historyEventsPerTurn: rounded(historyLength / coder.length),
      historyBytesPerTurn: Math.round((historySize ?? Number.NaN) / coder.length),
      requestBytes: {
        first: coder[0]!.requestBytes,
        last: coder.at(-1)!.requestBytes,
        total: coder.reduce((total, entry) => total + entry.requestBytes, 0),
      },
      workerRssMb: { start: before?.nowMb ?? Number.NaN, peak: after?.peakMb ?? Number.NaN },
      server,
      sandbox: local ? "local" : "docker",
      bare: { gapMs: spread(measured("no turn of the bare loop followed another", gaps(bare))) },
    };

    /** One issue from label to end; it ends without a change, which is all that is wanted. */
    async function run(title: string): Promise<{ id: string; deliveredAt: number; startedMs: number }> {
      const startedMs = performance.timeOrigin + performance.now();
      const issue = await github.people.as("mara").openIssue(REPOSITORY, { title });
      await github.people.as("mara").label(REPOSITORY, issue.number, "mergewright");
      const id = issueWorkflowId(REPOSITORY, issue.number);
      await client.workflow
        .getHandle(id)
        .result()
        .catch(() => undefined);
      while (!(await ended(client, id))) await new Promise((resolve) => setTimeout(resolve, 300));
      const deliveries = await github.people.deliveries();
      const labelled = deliveries.filter((delivery) => delivery.event === "issues" && delivery.action === "labeled");
      return {
        id,
        startedMs,
        deliveredAt: Math.min(...labelled.map(({ at }) => Date.parse(at)).filter((at) => at >= startedMs - 1)),
      };
    }
  } finally {
    await product.stop();
    await memoryServer?.stop();
    await Promise.all([github.close(), model.close()]);
    await rm(folder, { recursive: true, force: true });
  }
}

async function ended(client: Client, id: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(id).describe()).status.name !== "RUNNING";
  } catch {
    // The delivery is still on its way.
    return false;
  }
}

async function measureBare(model: PlayedModel, local: boolean): Promise<LedgerEntry[]> {
  const image = local ? null : (process.env["DOCKER_IMAGE"] ?? "mergewright-sandbox:latest");
  const startedMs = performance.timeOrigin + performance.now();
  const { limits, policy } = RepositorySettings.parse({});
  const opening = `# Brief: implement\n\n${MEASURED}`;
  await bareLoop({ baseUrl: model.url, image, opening, system: systemPrompt("coder", { limits, policy }) });
  return model.ledger.read().entries.filter((entry) => entry.receivedMs >= startedMs);
}

function gaps(entries: readonly LedgerEntry[]): number[] {
  return entries.slice(1).flatMap((entry, index) => {
    const { endedMs } = entries[index]!;
    return endedMs === null ? [] : [entry.receivedMs - endedMs];
  });
}

function handedOn(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

function print(report: Report): void {
  const { gapMs, bare, workerRssMb, requestBytes } = report;
  process.stdout.write(
    [
      `${report.turns} turns, Temporal server: ${report.server}, sandbox: ${report.sandbox}`,
      `  outside the model, per turn   ${gapMs.median} ms median, ${gapMs.p95} ms p95`,
      `  a bare loop beside it         ${bare.gapMs.median} ms median, ${bare.gapMs.p95} ms p95`,
      `  webhook to first request      ${report.firstRequestMs} ms`,
      `  history per turn              ${report.historyEventsPerTurn} events, ${report.historyBytesPerTurn} bytes`,
      `  request bytes                 ${requestBytes.first} first, ${requestBytes.last} last, ${requestBytes.total} in all`,
      `  memory of the worker          ${workerRssMb.start} MB before, ${workerRssMb.peak} MB at most`,
      "",
    ].join("\n"),
  );
}
