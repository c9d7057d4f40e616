/** A run of 300 turns whose commands print 100 kB each, on a server that asks for new histories early. About 60 s alone. */
import { Client, Connection } from "@temporalio/client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bash, type PlayedTurn } from "../../demo/model/scenario.ts";
import { agentWorkflowId, issueWorkflowId } from "../../domain/ids.ts";
import { signals, statusQuery } from "../../workflows/messages.ts";
import { startTemporalServer, type TemporalServer } from "../support/temporal-server.ts";
import { ended, onStage, ourEffects, reaches, signal, surroundings } from "./support.ts";
import { shortStory } from "./short-scenario.ts";

const TITLE = "Takes its time";
const TURNS = 300;
const PATIENCE_MS = 400_000;
/** Larger payloads are kept outside of the history. */
const INLINE_BYTES = 64 * 1024;

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
  const settings = "limits: { turns: 400, budget_usd: 1000 }\n";
  const scenarios = [shortStory({ title: TITLE, before: Array.from({ length: TURNS }, (_, n) => longTurn(n)) })];
  await onStage({ env: { ...env, TEMPORAL_ADDRESS: server.address }, settings, scenarios }, async (stage) => {
    const { github, maintainer, author, repository } = stage;
    const { number } = await github.people.as(author).openIssue(repository, { title: TITLE, body: "59.7 s." });
    await github.people.as(maintainer).label(repository, number, "mergewright");
    const id = issueWorkflowId(repository, number);

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
    const handle = client.workflow.getHandle(id);
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
    for (const history of [...histories, ...(await historiesOf(id))])
      expect(Math.max(...history.payloadBytes)).toBeLessThan(INLINE_BYTES);
    expect(stage.model!.ledger.read().totals).toMatchObject({ paidTwice: 0 });
    expect(await ourEffects(stage, "/repos/{owner}/{repo}/pulls")).toHaveLength(1);
    expect(await containers()).toEqual([]);
  });
}, 600_000);

/** Prints 100 kB, no two turns the same, and changes the tree now and then. */
function longTurn(n: number): PlayedTurn {
  const change = n % 30 === 0 ? ` && echo ${n} >> notes.txt` : n === TURNS - 1 ? " && rm -f notes.txt" : "";
  return { text: `Step ${n}.`, uses: [bash(`head -c 75000 /dev/urandom | base64 -w 0 && echo ${n}${change}`)] };
}

interface History {
  /** Completed turns. */
  turns: number;
  events: number;
  bytes: number;
  payloadBytes: number[];
}

/** The histories of all runs of a workflow id, the oldest first. */
async function historiesOf(workflowId: string): Promise<History[]> {
  const histories: History[] = [];
  let runId: string | undefined;
  // From the newest back: each tells the one that it continues.
  do {
    const { events = [] } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const all = events ?? [];
    const sizes = payloadSizes(all);
    histories.unshift({
      turns: all.filter((event) => event.activityTaskCompletedEventAttributes).length,
      events: all.length,
      bytes: Buffer.byteLength(JSON.stringify(all)),
      payloadBytes: sizes,
    });
    runId = all[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
  } while (runId !== undefined);
  return histories;
}

function costOfTurns({ turns, events, bytes }: History): { events: number; bytes: number } {
  return { events: events / turns, bytes: bytes / turns };
}

function payloadSizes(value: unknown): number[] {
  const sizes: number[] = [];
  const walk = (at: unknown): void => {
    if (at === null || typeof at !== "object") return;
    const { data } = at as { data?: unknown };
    if (data instanceof Uint8Array) sizes.push(data.byteLength);
    else for (const each of Object.values(at)) walk(each);
  };
  walk(value);
  return sizes;
}
