/** Killing the worker that is at work on a certain step, at a moment that is held still for it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultOrder } from "../../../demo/github/faults.ts";
import type { Cluster } from "./cluster.ts";
import type { Part } from "./part.ts";
import { type CrashRun, runFolders } from "./run.ts";

export interface WorkerKill {
  /** What it was at. */
  activity: string;
  part: string;
  pid: number;
  at: number;
}

/** Waits until one of the workers has the activity in hand, and tells which. */
export async function workerOn(cluster: Cluster, run: CrashRun, activity: string): Promise<Part> {
  return until(`a worker is at ${activity}`, async () => {
    const identities = await workingOn(cluster, run.workflowId, activity);
    return cluster.workers.find((worker) => identities.some((identity) => identity.startsWith(`${worker.pid}@`)));
  });
}

/** kill -9 of the worker that has the activity in hand. */
export async function crash(worker: Part, activity: string): Promise<WorkerKill> {
  const { name, pid } = worker;
  if (pid === null) throw new Error(`${name} is down already.`);
  return { activity, part: name, pid, at: await worker.kill() };
}

const HOLD_MS = 20_000;

/** The next such request to GitHub is held; before its effect it is broken off then, after its effect only its answer is. */
export async function holdGitHub(
  { people }: Cluster,
  order: Pick<FaultOrder, "method" | "path">,
  when: "before" | "after",
): Promise<{ struck: () => Promise<void>; clear: () => Promise<void> }> {
  await people.clearFaults();
  const { id } = await people.fault({ ...order, when, delayMs: HOLD_MS, drop: true });
  return {
    struck: async () => {
      await until(`${order.method} ${order.path} is held`, async () =>
        (await people.faults()).some((fault) => fault.id === id && fault.struck > 0),
      );
      // "After": the effect is made while we look.
      await sleep(400);
    },
    clear: () => people.clearFaults(),
  };
}

/** Claude's next call that fits is spoilt so. */
export async function order({ modelUrl }: Pick<Cluster, "modelUrl">, fault: object): Promise<void> {
  const answer = await fetch(`${modelUrl}/_played/faults`, { method: "POST", body: JSON.stringify(fault) });
  if (!answer.ok) throw new Error(`The played Claude refused the fault: ${await answer.text()}`);
}

/** The next such call to Claude is answered `ms` later. Resolves with a function that waits until the call came. */
export async function holdModel(
  { modelUrl }: Cluster,
  fault: { role: string; turn: number; ms: number },
): Promise<() => Promise<void>> {
  await order({ modelUrl }, { kind: "wait", ...fault });
  const { role, turn } = fault;
  return async () => {
    await until("Claude is asked", async () => {
      const { faults } = (await (await fetch(`${modelUrl}/_played/faults`)).json()) as { faults: (typeof fault)[] };
      return !faults.some((left) => left.role === role && left.turn === turn);
    });
  };
}

/** Files of the run's artifacts whose path fits. */
export function artifactsOf({ artifacts }: Cluster, run: CrashRun, fits: RegExp): string[] {
  const mine = runFolders(artifacts).filter((folder) => !run.earlier.includes(folder));
  const paths = mine.flatMap((folder) =>
    readdirSync(join(artifacts, "runs", folder), { recursive: true, encoding: "utf8" }).map((path) =>
      join(artifacts, "runs", folder, path),
    ),
  );
  return paths.filter((path) => fits.test(path));
}

export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 90_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs / 1000} s: ${what}`);
    await sleep(30);
  }
}

async function workingOn({ client }: Cluster, workflowId: string, activity: string): Promise<string[]> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  const children = await Promise.all(
    (raw.pendingChildren ?? []).map((child) => workingOn({ client } as Cluster, child.workflowId!, activity)),
  );
  const mine = (raw.pendingActivities ?? [])
    // 2: started.
    .filter(({ activityType, state }) => activityType?.name === activity && state === 2)
    .map(({ lastWorkerIdentity }) => lastWorkerIdentity ?? "");
  return [...mine, ...children.flat()];
}
