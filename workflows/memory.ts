/** What the story asks of the memory, and leaves to it. Whatever fails here is told in the status, and the run goes on without. */
import { isCancellation, log } from "@temporalio/workflow";
import type { Base } from "../activities/contract.ts";
import type { RecallReport } from "../activities/memory-contract.ts";
import type { Plan } from "../domain/outputs.ts";
import type { Outcome } from "../domain/run.ts";
import { recallCode, recallIssues, rememberRun, startIndexing } from "./activities.ts";
import { reasonOf } from "./parked.ts";
import type { Run } from "./run.ts";

/** Earlier issues like this one. */
export async function recallNeighbours(run: Run): Promise<void> {
  run.notes.recalled.issues = await recall(run, () => recallIssues({ run: run.ref, ground: run.ground! }));
}

/** Lets the index of the code be brought up to date beside the run, as soon as it is known what the run stands on. */
export function bringIndexUpToDate(run: Run, base: Promise<Pick<Base, "commit">>): void {
  if (!isOn(run)) return;
  run.beside(
    base.then(({ commit }) => startIndexing({ run: run.ref, ground: run.ground!, commit, since: run.startedAt })),
  );
}

/** The likely files. For a first index the run waits some seconds at most. */
export async function recallFiles(run: Run): Promise<void> {
  run.notes.recalled.code = await recall(run, () => recallCode({ run: run.ref }));
}

export function notePlan(run: Run, { cause }: Plan): void {
  run.notes.cause = cause;
}

/** Hands over what is to be remembered. A run that was never sorted has nothing to tell. */
export async function remember(run: Run, outcome: Outcome): Promise<void> {
  const { status, notes, change } = run;
  if (!isOn(run) || status.category === null) return;
  const story = {
    title: status.title,
    category: status.category,
    cause: notes.cause,
    summary: notes.summary,
    files: (change?.files ?? []).map(({ path, additions, deletions }) => ({ path, additions, deletions })),
    verification: run.verification,
    outcome,
    pullRequest: status.pullRequest?.number ?? null,
    agents: status.agents,
    turns: status.turns,
    costUsd: status.costUsd,
    rounds: notes.rounds,
    lessons: notes.lessons,
    startedAt: run.startedAt,
    endedAt: new Date().toISOString(),
  };
  try {
    await rememberRun({ run: run.ref, story });
  } catch (error) {
    log.warn("the run is not remembered", { reason: reasonOf(error) });
    run.notice(ABOUT, `How this run went is not remembered: ${reasonOf(error)}`);
  }
}

const ABOUT = "memory";

async function recall(run: Run, ask: () => Promise<RecallReport>): Promise<string | null> {
  if (!isOn(run)) return null;
  const without = (reason: string): null => {
    run.notice(ABOUT, `The memory cannot be asked, so the run goes on without it: ${reason}`);
    return null;
  };
  try {
    const { key, problem, note } = await ask();
    if (note) run.notice(`${ABOUT} by words`, note);
    return problem === null ? key : without(problem);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return without(reasonOf(error));
  }
}

/** Runs that began under an older version have no such setting. */
function isOn({ settings }: Run): boolean {
  return (settings.memory as { enabled: boolean } | undefined)?.enabled === true;
}
