/** What the tests of the whole share: a stage that cleans up behind itself, waiting, and counting what was left behind. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { RunView } from "../../api/run-view.ts";
import type { Effect } from "../../demo/github/ledger.ts";
import { removeStage, setStage, type Stage, type StageOptions } from "../../demo/stage.ts";
import { issueWorkflowId } from "../../domain/ids.ts";
import { isEnded } from "../../domain/run.ts";
import { ownContainers, type OwnContainers } from "../support/own-containers.ts";
import { temporalCli } from "../support/temporal.ts";

/** The environment of a product of this test's own: in Docker where an engine answers, else in plain processes. */
export interface Surroundings {
  sandbox: OwnContainers["sandbox"];
  env: Record<string, string>;
  containers(): Promise<string[]>;
}

export function surroundings(asked?: OwnContainers["sandbox"]): Surroundings {
  const { sandbox, env, names } = ownContainers(asked);
  return { sandbox, env: { TEMPORAL_CLI: temporalCli(), ...env }, containers: names };
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

/** The run of an issue, or of this workflow id, as the API tells it; null while nothing is known of it, or the product starts again. */
export async function statusOf(stage: Stage, issue: number | string): Promise<RunView | null> {
  try {
    const id = encodeURIComponent(typeof issue === "string" ? issue : issueWorkflowId(stage.repository, issue));
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
  issue: number | string,
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

export function ended(stage: Stage, issue: number | string): Promise<RunView> {
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
