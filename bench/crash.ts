/**
 * From kill -9 of a worker in the middle of a turn to the moment when another worker takes the turn up: `npm run bench:crash
 * [-- --runs N] [--homes own] [--json]`. Each run is killed five times. The whole stands as separate processes, as in production.
 */
import { startCluster } from "../test/faults/harness/cluster.ts";
import { crash, holdModel, until, workerOn } from "../test/faults/harness/crash.ts";
import { retakenMs, spread } from "../test/faults/harness/recovery.ts";
import { finish, openIssue, trigger } from "../test/faults/harness/run.ts";
import { wrongAfter } from "../test/faults/harness/evidence.ts";
import { QUICK_STEPS } from "../test/faults/harness/scenario.ts";
import { readArguments } from "./arguments.ts";
import { measured } from "./statistics.ts";

const { runs, homes, json } = readArguments("Usage: npm run bench:crash -- [--runs 2] [--homes shared|own] [--json]", {
  runs: { kind: "count", default: 2 },
  homes: { kind: "choice", choices: ["shared", "own"], default: "shared" },
  json: { kind: "switch" },
});
/** The coder's turns at which its worker is killed. */
const KILLED_TURNS = [0, 1, 2, 3, 4];
/** Longer than anything here waits for. */
const HELD_MS = 30_000;

const cluster = await startCluster({ homes });
const times: number[] = [];
const wrong: string[] = [];
try {
  for (let number = 1; number <= runs; number++) {
    const run = await openIssue(cluster, `bench-${number}`);
    const asked = KILLED_TURNS.map((turn) => holdModel(cluster, { role: "coder", turn, ms: HELD_MS }));
    const waits = await Promise.all(asked);
    await trigger(cluster, run);
    const kills = [];
    for (const wait of waits) {
      await wait();
      const worker = await workerOn(cluster, run, "takeTurn");
      const killed = await crash(worker, "takeTurn");
      kills.push(killed);
      await until(
        "another worker takes it up",
        async () => (await retakenMs(cluster, run, killed)) !== null || (await isAt(killed.pid)),
      );
      await worker.start();
    }
    await finish(cluster, run);
    for (const killed of kills) {
      const took = await retakenMs(cluster, run, killed);
      if (took !== null) times.push(took);
    }
    wrong.push(...(await wrongAfter(cluster, run, QUICK_STEPS, kills)));

    async function isAt(deadPid: number): Promise<boolean> {
      const worker = await workerOn(cluster, run, "takeTurn");
      return worker.pid !== deadPid;
    }
  }
} finally {
  await cluster.close();
}

const { count, median, p95, max } = spread(measured("no step was taken up by another worker", times));
const report = { kills: count, homes, medianMs: median, p95Ms: p95, maxMs: max, wrong };
process.stdout.write(
  json
    ? `${JSON.stringify(report)}\n`
    : `From kill -9 to the next worker at the turn: median ${median} ms, p95 ${p95} ms, at most ${max} ms, of ${count} (homes: ${homes}).\n${wrong.length === 0 ? "Everything outside was done once." : wrong.join("\n")}\n`,
);
if (wrong.length > 0) process.exitCode = 1;
