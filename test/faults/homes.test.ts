/**
 * Two workers that share nothing but the artifacts: each has a MERGEWRIGHT_HOME, and where root may start one a Docker
 * engine, of its own. What one of them had in hand goes on at the other.
 */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_IMAGE } from "../../activities/adapters/sandbox/docker.ts";
import { findDockerEngine } from "../../scripts/setup/docker-engine.mjs";
import { type Cluster, startCluster } from "./harness/cluster.ts";
import { artifactsOf, crash, holdModel, until, type WorkerKill, workerOn } from "./harness/crash.ts";
import { wrongAfter } from "./harness/evidence.ts";
import type { Part } from "./harness/part.ts";
import { type CrashRun, finish, openIssue, reaches, trigger } from "./harness/run.ts";
import { MESSY, MESSY_STEPS, SLOW, SLOW_STEPS } from "./harness/scenario.ts";
import { ownEngine, whyNoOwnEngine } from "./sandbox-engine.ts";

const TIMEOUT_MS = 200_000;
const shared = await findDockerEngine();
const whyNotDocker = shared.kind === "answers" ? whyNoOwnEngine : shared.reason;

describe("workers with homes of their own, in plain processes", () => {
  rows(() => ({ env: { EXECUTION_MODE: "local" } }));
});

describe.skipIf(whyNotDocker !== null)("workers with homes and Docker engines of their own", () => {
  const engine = ownEngine();
  beforeAll(async () => {
    await engine.start();
    await engine.load(process.env["DOCKER_IMAGE"] ?? DEFAULT_IMAGE);
  }, 180_000);
  afterAll(() => engine.remove(), 60_000);

  const cluster = rows(() => ({ workerEnv: [{}, { DOCKER_HOST: engine.dockerHost }] }));

  const dockerOf = async (worker: Part, ...words: string[]): Promise<string> => {
    const env = worker.name === "worker-2" ? { ...process.env, DOCKER_HOST: engine.dockerHost } : process.env;
    return (await promisify(execFile)("docker", words, { env })).stdout.trim();
  };

  it(
    "E3: a sandbox that is lost alone is built again where it was, with the tree of the last turn",
    async () => {
      const run = await openIssue(cluster(), "lost-container", { title: MESSY });
      const worker = await inHand(cluster(), run);
      // The second engine has no others; on the first one other tests may have theirs.
      const all =
        worker.name === "worker-2"
          ? (await dockerOf(worker, "ps", "--format", "{{.Names}}")).split("\n")
          : (await cluster().containers()).map((name) => name.replace("/", ""));
      const mine = all.filter((name) => name.endsWith("-coder"));
      expect(mine).toHaveLength(1);
      await dockerOf(worker, "rm", "--force", mine[0]!);
      const { status } = await finish(cluster(), run);
      expect(status.outcome?.kind).toBe("merged");
      expect(status.hosts).toHaveLength(1);
      expectSameTree(cluster(), run);
      expect(await wrongAfter(cluster(), run, MESSY_STEPS, [])).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it("E3: the second engine has no container left", async () => {
    const left = () => dockerOf(cluster().workers[1], "ps", "--all", "--quiet");
    await until("it has none", async () => (await left()) === "", 20_000);
  });
});

function rows(options: () => Parameters<typeof startCluster>[0]): () => Cluster {
  let standing: Cluster | null = null;
  let failed = 0;
  const cluster = (): Cluster => standing!;
  beforeAll(async () => {
    standing = await startCluster({ homes: "own", ...options() });
  }, 120_000);
  afterAll(() => standing?.close(failed > 0));

  it(
    "E3: when the home worker dies for good with its disk, the run goes on elsewhere, with the tree of the last turn",
    async () => {
      failed += 1;
      const run = await openIssue(cluster(), "dies-for-good", { title: MESSY });
      const worker = await inHand(cluster(), run);
      const { hosts } = await reaches(cluster(), run, "its host", (status) => status.hosts.length > 0);
      const killed = await forGood(cluster(), worker);
      const { status } = await finish(cluster(), run);
      expect(status.outcome?.kind).toBe("merged");
      expect(status.hosts).toHaveLength(2);
      const [first, second] = status.hosts;
      expect(first).toEqual(hosts[0]);
      expect(second!.home).not.toBe(first!.home);
      expect(second!.why).toMatch(/^the worker (was lost in the middle of a step|did not take the next step)$/);
      expectSameTree(cluster(), run);
      // What its engine still has goes when such a worker comes back.
      await worker.start();
      expect(await wrongAfter(cluster(), run, MESSY_STEPS, [killed])).toEqual([]);
      failed -= 1;
    },
    TIMEOUT_MS,
  );

  it(
    "E3: a worker that is told to stop in the middle of a command hands the run over",
    async () => {
      failed += 1;
      const run = await openIssue(cluster(), "told-to-stop", { title: SLOW });
      await trigger(cluster(), run);
      await until("the slow command was asked for", () => artifactsOf(cluster(), run, CODER_TURN_1).length > 0);
      const worker = await workerOn(cluster(), run, "takeTurn");
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await worker.stop();
      const { status } = await finish(cluster(), run);
      expect(status.outcome?.kind).toBe("merged");
      expect(status.hosts.map(({ why }) => why)).toEqual(["it had room for the run", "the worker was shut down"]);
      await worker.start();
      expect(await wrongAfter(cluster(), run, SLOW_STEPS, [])).toEqual([]);
      failed -= 1;
    },
    TIMEOUT_MS,
  );
  return cluster;
}

const CODER_TURN_1 = /agents\/coder\/turns\/1\./;

/** Starts the run; resolves with the worker that made the mess of the first turn, while Claude is asked what comes next. */
async function inHand(cluster: Cluster, run: CrashRun): Promise<Part> {
  const asked = await holdModel(cluster, { role: "coder", turn: 1, ms: 6_000 });
  await trigger(cluster, run);
  await asked();
  return workerOn(cluster, run, "takeTurn");
}

/** Its disk is gone, too; what comes up at its place later begins with an empty one. */
async function forGood(cluster: Cluster, worker: Part): Promise<WorkerKill> {
  const killed = await crash(worker, "takeTurn");
  const home = cluster.homes[worker.name === "worker-2" ? 1 : 0]!;
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home);
  return killed;
}

/** The hash at the end of the first turn, at the start of the second, and that of the checkpoint between them. */
function expectSameTree(cluster: Cluster, run: CrashRun): void {
  const stored = (fits: RegExp): string[] => artifactsOf(cluster, run, fits).map((file) => readFileSync(file, "utf8"));
  const trees = [0, 1].map((turn) => {
    const [result, ...more] = stored(new RegExp(`agents/coder/results/${turn}\\.`));
    expect(more).toEqual([]);
    return /tree ([0-9a-f]{40})/.exec(result!)![1]!;
  });
  expect(trees[1]).toBe(trees[0]);
  const { checkpoint } = JSON.parse(stored(/agents\/coder\/results\/0\./)[0]!) as { checkpoint: { tree: string } };
  expect(checkpoint.tree).toBe(trees[0]);
}
