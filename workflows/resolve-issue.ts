/** The story of an issue: from the trigger to the merged pull request. */
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  ContinueAsNew,
  isCancellation,
  log,
} from "@temporalio/workflow";
import type { Plan } from "../domain/outputs.ts";
import { renderPlan } from "../domain/plan-text.ts";
import type { Outcome } from "../domain/run.ts";
import { openRun, prepareBase } from "./activities.ts";
import { announce, endOnGitHub, keepProgressComment } from "./announce.ts";
import { awaitPeople } from "./await-people.ts";
import type { Chapter } from "./carried-run.ts";
import { awaitApproval, awaitChecks, review, type Revision } from "./gates.ts";
import { renew } from "./bring-in.ts";
import { implement, type Work } from "./implement.ts";
import { bringIndexUpToDate, notePlan, recallFiles, recallNeighbours, remember } from "./memory.ts";
import { merge } from "./merge.ts";
import type { Merged } from "./merged.ts";
import { goOnFrom } from "./fork.ts";
import type { Fork, ResolveIssueInput } from "./messages.ts";
import { reasonOf } from "./parked.ts";
import { publish } from "./publish.ts";
import { Run } from "./run.ts";
import { closeSandboxes, Declined, GaveUp } from "./story.ts";

export async function resolveIssue(input: ResolveIssueInput): Promise<Outcome> {
  const run = new Run(input);
  const progress = keepProgressComment(run);
  const ending = await run.scope
    .run(() => story(run))
    .catch((error: unknown) => {
      if (error instanceof ContinueAsNew) throw error;
      return endingOf(run, error);
    });

  run.beginEnding();
  await CancellationScope.nonCancellable(async () => {
    await closeSandboxes(run);
    await endOnGitHub(run, ending);
    await remember(run, ending);
    run.end(ending);
    await progress.finish();
    await condition(allHandlersFinished);
  });
  if (ending.kind === "failed") throw ApplicationFailure.nonRetryable(ending.reason, "RunFailed");
  if (run.cancellation !== null) throw run.cancellation;
  return ending;
}

async function story(run: Run): Promise<Outcome> {
  let next = run.input.carried?.chapter ?? (await firstChange(run));
  for (;;) {
    await run.turnPage(next);
    const { work } = next;
    const revision = await chapter(run, next);
    if (revision === null) next = { kind: next.kind === "publish" ? "checks" : "approval", work };
    else if (revision.kind === "merged") return revision;
    else next = { kind: "publish", work: await renew(run, work, revision) };
  }
}

/** One part of the loop from the change to the merge. Null: the next one follows. */
async function chapter(run: Run, next: Chapter): Promise<Merged | Revision | null> {
  const { work } = next;
  switch (next.kind) {
    case "publish":
      await publish(run, work);
      return review(run, work);
    case "checks":
      return awaitChecks(run, work, next.since);
    case "approval":
      return decide(run, work);
  }
}

/** From the trigger to the first change that was judged. */
async function firstChange(run: Run): Promise<Chapter> {
  if (run.input.fork) return firstChangeOfFork(run, run.input.fork);
  run.ground = await run.step(() => openRun(run.firstStep()));
  run.status.title = run.ground.title;
  announce(run);
  const base = run.inBackground(() => prepareBase({ run: run.ref, ground: run.ground! }));
  bringIndexUpToDate(run, base);

  const category = await classify(run);
  run.base = await base;
  const plan = await makePlan(run, category);
  await approvePlan(run);

  return { kind: "publish", work: await implement(run, category, plan) };
}

/** What kind of issue it is, and mostly the plan, too, were known before the turn that a fork goes on from. */
async function firstChangeOfFork(run: Run, fork: Fork): Promise<Chapter> {
  await goOnFrom(run, fork);
  const { classification } = fork;
  if (fork.plan === null) {
    bringIndexUpToDate(run, Promise.resolve(run.base!));
    const plan = await makePlan(run, classification);
    await approvePlan(run);
    return { kind: "publish", work: await implement(run, classification, plan) };
  }
  run.status.plan = renderPlan(fork.plan);
  notePlan(run, fork.plan);
  return { kind: "publish", work: await implement(run, classification, fork.plan) };
}

async function classify(run: Run): Promise<Work["classification"]> {
  run.enter("classifying");
  await recallNeighbours(run);
  const answer = await run.agent("classifier", { kind: "classify", recalled: run.notes.recalled }, { commit: "" });
  if (answer.kind === "gave-up") throw new GaveUp("classifier", answer.reason);
  const classification = answer.data as Work["classification"];
  run.landmarks.classification = classification;
  run.status.category = classification.category;
  if (classification.category === "question" || classification.category === "invalid") {
    throw new Declined(`classified as ${classification.category}: ${classification.reason}`);
  }
  return classification;
}

async function makePlan(run: Run, classification: Work["classification"]): Promise<Plan> {
  run.enter("planning");
  await recallFiles(run);
  const answer = await run.agent("planner", { kind: "plan", classification, recalled: run.notes.recalled }, run.base!);
  await closeSandboxes(run, ["planner"]);
  if (answer.kind === "gave-up") throw new GaveUp("planner", answer.reason);
  const plan = answer.data as Plan;
  run.landmarks.plan = plan;
  run.status.plan = renderPlan(plan);
  notePlan(run, plan);
  run.changed();
  return plan;
}

async function approvePlan(run: Run): Promise<void> {
  if (!run.settings.require_plan_approval) return;
  run.enter("awaiting-plan-approval");
  const detail = "Read the plan, then send approvePlan {by}, or comment `/mergewright approve plan`.";
  await awaitPeople(run, { kind: "plan-approval", detail }, () => run.planApprovedBy() !== null);
}

/** Asks for approval until the merge is done, or somebody wants changes. */
async function decide(run: Run, work: Work): Promise<Merged | Revision> {
  for (;;) {
    const decision = await awaitApproval(run, work);
    if (decision.kind !== "merge") return decision;
    const merged = await merge(run, work, decision);
    if (merged !== null) return merged;
  }
}

/** Every way the story ends early, as an outcome. */
function endingOf(run: Run, error: unknown): Outcome {
  if (run.mergedAs !== null) return { kind: "merged", sha: run.mergedAs };
  if (run.interruption) return run.interruption;
  if (isCancellation(error)) {
    run.cancellation = error as Error;
    return { kind: "cancelled", reason: "cancelled through Temporal" };
  }
  if (error instanceof Declined) return { kind: "declined", reason: error.message };
  if (error instanceof GaveUp) return { kind: "failed", reason: error.message };
  log.error("the run failed", { reason: reasonOf(error) });
  return { kind: "failed", reason: reasonOf(error) };
}
