/**
 * A run of 300 turns whose commands print 100 kB each, on a server that asks for new histories early, with nearly all that it says
 * kept outside of them. About 100 s beside other work.
 */
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Client, Connection } from "@temporalio/client";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunView } from "../../api/run-view.ts";
import { bash, type PlayedTurn } from "../../demo/model/scenario.ts";
import type { Stage } from "../../demo/stage.ts";
import { agentWorkflowId, issueWorkflowId } from "../../domain/ids.ts";
import { signals, statusQuery } from "../../workflows/messages.ts";
import { dataConverterFor } from "../../workers/payloads/data-converter.ts";
import { startTemporalServer, type TemporalServer } from "../support/temporal-server.ts";
import { ended, onStage, ourEffects, reaches, signal, surroundings, until } from "./support.ts";
import { shortStory } from "./short-scenario.ts";

const TITLE = "Takes its time";
const TURNS = 300;
const PATIENCE_MS = 400_000;
/** Payloads of this size or more are kept outside of the history: the smallest that can be set, so that each turn has some. */
const INLINE_BYTES = 1024;
const REFERENCE = "temporal.api.sdk.v1.ExternalStorageReference";
/** What was still in use after the garbage was collected is compared at these. */
const EARLY_TURN = 50;
const OUTPUT_BYTES = 100_000;
/** Less than the commands of the turns between have printed: whoever kept that, or the requests, would be seen. */
const MAX_HEAP_GROWTH_BYTES = (TURNS - EARLY_TURN) * OUTPUT_BYTES;
/** Also that of threads and native code. Node gives memory back late: much is no leak, but each request has up to 3 MB at the end. */
const MAX_RSS_GROWTH_BYTES = 200e6;

let server: TemporalServer;
let client: Client;
beforeAll(async () => {
  server = await startTemporalServer(["limit.historyCount.suggestContinueAsNew=400"]);
  client = new Client({ connection: await Connection.connect({ address: server.address }) });
});
afterAll(async () => {
  await client.connection.close();
  await server.stop();
});

it("300 turns cost as much history at their end as at their start, and new histories lose nothing", async () => {
  const { env, containers } = surroundings();
  const settings = `limits: { turns: 400, budget_usd: 1000 }\nstorage: { inline_bytes: ${INLINE_BYTES} }\n`;
  const scenarios = [shortStory({ title: TITLE, before: Array.from({ length: TURNS }, (_, n) => longTurn(n)) })];
  const told = {
    NODE_OPTIONS: `--import=${fileURLToPath(new URL("../support/tell-memory.mjs", import.meta.url))}`,
    MEMORY_FILE: join(tmpdir(), `mergewright-memory-${process.pid}.json`),
  };
  await onStage({ env: { ...env, ...told, TEMPORAL_ADDRESS: server.address }, settings, scenarios }, async (stage) => {
    const { github, maintainer, author, repository } = stage;
    const { number } = await github.people.as(author).openIssue(repository, { title: TITLE, body: "59.7 s." });
    await github.people.as(maintainer).label(repository, number, "mergewright");
    const id = issueWorkflowId(repository, number);

    const coderAt = (turn: number) => (run: RunView) =>
      (run.agents.find(({ role }) => role === "coder")?.turns ?? 0) >= turn;
    await reaches(stage, number, `turn ${EARLY_TURN}`, coderAt(EARLY_TURN), PATIENCE_MS);
    const early = await memoryOf(stage, told.MEMORY_FILE);
    await reaches(stage, number, `turn ${TURNS}`, coderAt(TURNS - 10), PATIENCE_MS);
    const late = await memoryOf(stage, told.MEMORY_FILE);
    process.stderr.write(`Memory of the product at turn ${EARLY_TURN} and ${TURNS}: ${inMb(early)}, ${inMb(late)}\n`);
    expect(late.heapUsed + late.external - early.heapUsed - early.external).toBeLessThan(MAX_HEAP_GROWTH_BYTES);
    expect(late.rss - early.rss).toBeLessThan(MAX_RSS_GROWTH_BYTES);

    const waiting = await reaches(
      stage,
      number,
      "awaiting-approval",
      (run) => run.waitingFor?.kind === "approval",
      PATIENCE_MS,
    );
    expect(waiting.turns).toBeGreaterThan(TURNS);
    expect(waiting.agents.find(({ role }) => role === "coder")).toMatchObject({ turns: TURNS + 2 });

    const histories = await historiesOf(agentWorkflowId(id, "coder", 1));
    expect(histories.length).toBeGreaterThanOrEqual(3);
    const [first, ...others] = histories.slice(0, -1).map(costOfTurns);
    for (const other of others) {
      expect(other.events).toBeCloseTo(first!.events, 0);
      expect(other.bytes / first!.bytes).toBeGreaterThan(0.9);
      expect(other.bytes / first!.bytes).toBeLessThan(1.1);
    }

    // The run's own history: whoever talks to it long enough gets it to begin a new one, in the middle of waiting.
    const handle = productsClient(stage).workflow.getHandle(id);
    const before = (await historiesOf(id)).length;
    const since = waiting.waitingFor!.since;
    for (let round = 0; (await historiesOf(id)).length < before + 2; round += 1) {
      expect(round).toBeLessThan(60);
      for (let burst = 0; burst < 10; burst += 1) await handle.signal(signals.resume, {});
      await handle.query(statusQuery);
    }
    await signal(stage, number, "raiseBudget", { by: maintainer, usd: 2_000 });
    const still = await reaches(stage, number, "the raised budget", (run) => run.budgetUsd === 2_000);
    expect(still.waitingFor).toMatchObject({ kind: "approval", since });
    expect({ ...still, refused: [], budgetUsd: 0, waitingFor: null, execution: null }).toEqual({
      ...waiting,
      refused: [],
      budgetUsd: 0,
      waitingFor: null,
      execution: null,
    });

    await signal(stage, number, "approveMerge", { by: maintainer, sha: waiting.pullRequest!.headSha });
    const run = await ended(stage, number);
    expect(run.outcome?.kind).toBe("merged");
    for (const history of [...histories, ...(await historiesOf(id))]) {
      expect(Math.max(...history.payloadBytes)).toBeLessThan(INLINE_BYTES);
      expect(history.references).toBeGreaterThan(0);
    }
    // The last has the turns of the fix, too, which are short.
    for (const { references, turns } of histories.slice(0, -1)) expect(references).toBeGreaterThanOrEqual(turns);
    expect(stage.model!.ledger.read().totals).toMatchObject({ paidTwice: 0 });
    expect(await ourEffects(stage, "/repos/{owner}/{repo}/pulls")).toHaveLength(1);
    expect(await containers()).toEqual([]);
  });
}, 600_000);

/** As many calls make what a turn takes and gives larger than what stays in a history. */
const SMALL_CALLS = 6;

/** Prints 100 kB, no two turns the same, and changes the tree now and then. */
function longTurn(n: number): PlayedTurn {
  const change = n % 30 === 0 ? ` && echo ${n} >> notes.txt` : n === TURNS - 1 ? " && rm -f notes.txt" : "";
  const print = bash(`head -c ${(OUTPUT_BYTES / 4) * 3} /dev/urandom | base64 -w 0 && echo ${n}${change}`);
  const small = Array.from({ length: SMALL_CALLS }, (_, call) => bash(`: ${n} ${call}`));
  return { text: `Step ${n}.`, uses: [print, ...small] };
}

/** In use by the product's process, once its garbage is collected. */
async function memoryOf(stage: Stage, file: string): Promise<NodeJS.MemoryUsage> {
  await rm(file, { force: true });
  stage.product.process.kill("SIGUSR2");
  const text = await until("the product tells of its memory", () => readFile(file, "utf8").catch(() => null));
  await rm(file);
  return JSON.parse(text) as NodeJS.MemoryUsage;
}

function inMb({ rss, heapUsed, external }: NodeJS.MemoryUsage): string {
  const [all, heap, outside] = [rss, heapUsed, external].map((bytes) => Math.round(bytes / 1e6));
  return `${all} MB (heap ${heap}, buffers ${outside})`;
}

/** One that reads what the product has put outside of the histories. */
function productsClient({ home }: Stage): Client {
  const directory = join(home, "artifacts");
  const artifacts = { kind: "file", url: pathToFileURL(directory).href, directory } as const;
  const dataConverter = dataConverterFor({ artifacts, payloadKeys: [], inlinePayloadBytes: INLINE_BYTES });
  return new Client({ connection: client.connection, dataConverter });
}

interface History {
  /** Completed turns. */
  turns: number;
  events: number;
  bytes: number;
  /** Of those that stand in it, references included. */
  payloadBytes: number[];
  /** Payloads that are elsewhere. */
  references: number;
}

/** The histories of all runs of a workflow id, the oldest first. */
async function historiesOf(workflowId: string): Promise<History[]> {
  const histories: History[] = [];
  let runId: string | undefined;
  // From the newest back: each tells the one that it continues.
  do {
    const { events = [] } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const all = events ?? [];
    const payloads = payloadsIn(all);
    histories.unshift({
      turns: all.filter((event) => event.activityTaskCompletedEventAttributes).length,
      events: all.length,
      bytes: Buffer.byteLength(JSON.stringify(all)),
      payloadBytes: payloads.map(({ data }) => data.byteLength),
      references: payloads.filter(({ type }) => type === REFERENCE).length,
    });
    runId = all[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
  } while (runId !== undefined);
  return histories;
}

function costOfTurns({ turns, events, bytes }: History): { events: number; bytes: number } {
  return { events: events / turns, bytes: bytes / turns };
}

function payloadsIn(value: unknown): { data: Uint8Array; type: string }[] {
  const payloads: { data: Uint8Array; type: string }[] = [];
  const walk = (at: unknown): void => {
    if (at === null || typeof at !== "object") return;
    const { data, metadata } = at as { data?: unknown; metadata?: Record<string, Uint8Array> | null };
    if (!(data instanceof Uint8Array)) for (const each of Object.values(at)) walk(each);
    else payloads.push({ data, type: Buffer.from(metadata?.["messageType"] ?? []).toString() });
  };
  walk(value);
  return payloads;
}
