/** What the tests of the whole share: a stage that cleans up behind itself, waiting, and counting what was left behind. */
import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { promisify } from "node:util";
import type { RunView } from "../../api/run-view.ts";
import { DEFAULT_IMAGE } from "../../activities/adapters/sandbox/docker.ts";
import type { Effect } from "../../demo/github/ledger.ts";
import { removeStage, setStage, type Stage, type StageOptions } from "../../demo/stage.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { isEnded } from "../../domain/run.ts";
import { findDockerEngine } from "../../scripts/setup/docker-engine.mjs";
import { temporalCli } from "../support/temporal.ts";

const engine = await findDockerEngine();

/** The environment of a product of this test's own: in Docker where an engine answers, else in plain processes. */
export interface Surroundings {
  sandbox: "docker" | "local";
  env: Record<string, string>;
  /** Names of the containers of this product that are there now: running, stopped, or just made. */
  containers(): Promise<string[]>;
}

export function surroundings(
  sandbox: Surroundings["sandbox"] = engine.kind === "answers" ? "docker" : "local",
): Surroundings {
  const common = { TEMPORAL_CLI: temporalCli() };
  if (sandbox === "local") return { sandbox, env: { ...common, EXECUTION_MODE: "local" }, containers: async () => [] };
  // Other tests run containers of the same repository beside this one. No other has just this limit: ours are known by it.
  const memory = 1024 ** 3 + randomInt(1, 100_000) * 4096;
  const image = process.env["DOCKER_IMAGE"] ?? DEFAULT_IMAGE;
  return {
    sandbox,
    env: { ...common, DOCKER_IMAGE: image, MEMORY_LIMIT: String(memory) },
    containers: () => containersWith(memory),
  };
}

async function containersWith(memory: number): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: ["mergewright.app=mergewright"] }));
  const all = JSON.parse(await ask(`/containers/json?all=1&filters=${filters}`)) as { Id: string; Names: string[] }[];
  const ours = await Promise.all(
    all.map(async (container) => ((await memoryOf(container.Id)) === memory ? [container.Names.join()] : [])),
  );
  return ours.flat();
}

/** null: gone since it was listed. */
async function memoryOf(id: string): Promise<number | null> {
  const text = await ask(`/containers/${id}/json`);
  return (JSON.parse(text) as { HostConfig?: { Memory: number } }).HostConfig?.Memory ?? null;
}

async function ask(path: string): Promise<string> {
  if (engine.kind !== "answers") throw new Error(`No Docker engine: ${engine.reason}`);
  return (await engine.request("GET", path)).body;
}

/** Runs `play` on a stage of its own. When it failed, the stage's folder with the log stays, and its name is told. */
export async function onStage(
  options: Omit<StageOptions, "live" | "repositoryName">,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  const stage = await setStage({ repositoryName: "little-duration", live: null, ...options });
  let done = false;
  try {
    await play(stage);
    done = true;
  } finally {
    await stage.close();
    if (done) await removeStage(stage);
    else process.stderr.write(`The log of the failed stage is kept: ${stage.logFile}\n`);
  }
}

/** Waits until `look` finds something. A machine that is busy with other tests takes its time. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false>,
  timeoutMs = 120_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The run of an issue, as the API tells it; null while nothing is known of it, or the product starts again. */
export async function statusOf(stage: Stage, issue: number): Promise<RunView | null> {
  try {
    const id = encodeURIComponent(issueWorkflowId(stage.repository, issue));
    const headers: Record<string, string> =
      stage.apiToken === null ? {} : { authorization: `Bearer ${stage.apiToken}` };
    const answer = await fetch(`${stage.url}/api/tasks/${id}`, { headers, signal: AbortSignal.timeout(10_000) });
    const run = answer.ok ? ((await answer.json()) as RunView) : null;
    return run?.incomplete === null ? run : null;
  } catch {
    return null;
  }
}

/** Waits for a status that fits. A run that ends before is told with all that it says of itself. */
export async function reaches(
  stage: Stage,
  issue: number,
  what: string,
  fits: (run: RunView) => boolean,
  timeoutMs?: number,
): Promise<RunView> {
  const look = async (): Promise<RunView | null> => {
    const run = await statusOf(stage, issue);
    if (!run || fits(run)) return run;
    if (run.execution.closedAt !== null || run.waitingFor?.kind === "operator") {
      throw new Error(
        `Issue ${issue} did not come to "${what}": ${JSON.stringify({ ...run, plan: null, evidence: null }, null, 2)}`,
      );
    }
    return null;
  };
  return until(`issue ${issue}: ${what}`, look, timeoutMs);
}

export function ended(stage: Stage, issue: number): Promise<RunView> {
  return reaches(stage, issue, "its end", (run) => isEnded(run.phase) && run.execution.closedAt !== null);
}

/** `temporal workflow signal`, as an operator types it. */
export async function signal(stage: Stage, issue: number, name: string, input: object): Promise<void> {
  const id = issueWorkflowId(stage.repository, issue);
  const words = ["workflow", "signal", "--address", stage.temporal.address, "--workflow-id", id, "--name", name];
  await promisify(execFile)(temporalCli(), [...words, "--input", JSON.stringify(input)]);
}

/** Effects on the played GitHub that our own account made, by route. */
export async function ourEffects(stage: Stage, route: string): Promise<Effect[]> {
  const effects = await stage.github.people.ledger();
  return effects.filter((effect) => effect.actor === "mergewright-demo" && effect.route === route);
}

export interface Comment {
  id: number;
  user: { login: string } | null;
  body: string;
}

export function commentsOf(stage: Stage, number: number): Promise<Comment[]> {
  return stage.github.people.as(stage.maintainer).rest("GET", `/repos/${stage.repository}/issues/${number}/comments`);
}
