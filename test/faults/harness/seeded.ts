/** Kills at random moments, the same ones for the same seed. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import { jsonLines, type Kill } from "./evidence.ts";
import type { Part } from "./part.ts";

export interface PlannedKill {
  part: "temporal" | "github" | "model" | "api" | "worker-1" | "worker-2";
  /** After this many calls to Claude and effects on GitHub, counted from the start of the run. */
  afterSteps: number;
  /** And so much later. */
  afterMs: number;
  /** It stays down for so long. */
  downMs: number;
}

export interface DoneKill extends Kill {
  pid: number;
  plan: PlannedKill;
}

const PARTS = ["worker-1", "worker-2", "worker-1", "worker-2", "temporal", "api", "github", "model"] as const;
const MOST_KILLS = 4;
/** A run without kills makes about so many calls and effects. */
const STEPS_OF_A_RUN = 30;

export function planOf(seed: number): PlannedKill[] {
  const random = randomOf(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  return Array.from({ length: 1 + below(MOST_KILLS) }, () => ({
    part: PARTS[below(PARTS.length)]!,
    afterSteps: below(STEPS_OF_A_RUN),
    afterMs: below(500),
    downMs: below(2_000),
  })).toSorted((a, b) => a.afterSteps - b.afterSteps);
}

/** Carries out the plan until `over` says that the run has ended; what is left of it then is not done. Notes in `done` what was. */
export async function killAsPlanned(
  cluster: Cluster,
  plan: readonly PlannedKill[],
  over: () => boolean,
  done: DoneKill[],
): Promise<void> {
  const before = stepsSoFar(cluster);
  const comingUp: Promise<void>[] = [];
  for (const each of plan) {
    while (!over() && stepsSoFar(cluster) - before < each.afterSteps) await sleep(20);
    await sleep(each.afterMs);
    if (over()) break;
    const part = cluster.parts().find(({ name }) => name === each.part)!;
    // One that is still down from the kill before is not killed twice.
    const { pid } = part;
    if (pid === null) continue;
    done.push({ part: each.part, pid, at: await part.kill(), plan: each });
    comingUp.push(comeUp(part, each.downMs));
  }
  await Promise.all(comingUp);
}

async function comeUp(part: Part, downMs: number): Promise<void> {
  await sleep(downMs);
  await part.start();
}

function stepsSoFar({ folder }: Cluster): number {
  return jsonLines(join(folder, "model.jsonl")).length + jsonLines(join(folder, "github", "ledger.jsonl")).length;
}

/** mulberry32: small, and good enough to choose by. */
function randomOf(seed: number): () => number {
  let state = seed * 0x9e3779b1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
