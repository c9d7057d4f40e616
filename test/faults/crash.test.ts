/**
 * Whole runs, with processes killed at random moments under a seed. A seed alone: MERGEWRIGHT_FAULT_SEED=N; how many:
 * MERGEWRIGHT_FAULT_SEEDS. About 20 s each.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Cluster, startCluster } from "./harness/cluster.ts";
import { wrongAfter } from "./harness/evidence.ts";
import { spread, standstillMs } from "./harness/recovery.ts";
import { finish, openIssue, trigger } from "./harness/run.ts";
import { QUICK_STEPS } from "./harness/scenario.ts";
import { type DoneKill, killAsPlanned, planOf } from "./harness/seeded.ts";

const TIMEOUT_MS = 240_000;

let cluster: Cluster;
let failed = false;
const standstills: number[] = [];

beforeAll(async () => {
  cluster = await startCluster();
}, 120_000);

afterAll(async () => {
  await cluster.close(failed);
  const { count, median, p95, max } = spread(standstills);
  process.stderr.write(
    `From a random kill -9 to the next step of the run: median ${median} ms, p95 ${p95} ms, at most ${max} ms, of ${count}.\n`,
  );
});

for (const seed of seeds()) {
  // All of E1 to E8 in one; the score counts it with the last effect of a run.
  it(
    `E7: seed ${seed}, whatever dies in it, ends merged with everything done once and nothing left over`,
    async () => {
      const kills: DoneKill[] = [];
      try {
        const run = await openIssue(cluster, `seed-${seed}`);
        await trigger(cluster, run);
        let over = false;
        const finishing = finish(cluster, run).finally(() => (over = true));
        const [{ status, durationMs }] = await Promise.all([
          finishing,
          killAsPlanned(cluster, planOf(seed), () => over, kills),
        ]);
        const wrong = await wrongAfter(cluster, run, QUICK_STEPS, kills);
        expect({ outcome: status.outcome?.kind, wrong }).toEqual({ outcome: "merged", wrong: [] });
        for (const kill of kills.filter(({ part }) => part !== "api")) {
          const stood = await standstillMs(cluster, run, kill);
          if (stood !== null) standstills.push(stood);
        }
        process.stderr.write(`Seed ${seed}: merged after ${(durationMs / 1000).toFixed(1)} s. ${told(kills)}\n`);
      } catch (error) {
        failed = true;
        process.stderr.write(`Seed ${seed} failed. ${told(kills)} Logs: ${cluster.folder}\n`);
        await Promise.all(cluster.parts().map((part) => part.start()));
        throw error;
      }
    },
    TIMEOUT_MS,
  );
}

function seeds(): number[] {
  const one = process.env["MERGEWRIGHT_FAULT_SEED"];
  if (one !== undefined) return [Number(one)];
  return Array.from({ length: Number(process.env["MERGEWRIGHT_FAULT_SEEDS"] ?? 5) }, (_, index) => index + 1);
}

function told(kills: readonly DoneKill[]): string {
  if (kills.length === 0) return "Nothing was killed.";
  const each = kills.map(({ part, at, plan }) => `${part} at ${new Date(at).toISOString()} for ${plan.downMs} ms`);
  return `Killed: ${each.join(", ")}.`;
}
