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
import { implement, untilVerified, type Work } from "./implement.ts";
import { bringIndexUpToDate, notePlan, recallFiles, recallNeighbours, remember } from "./memory.ts";
import { inQueue, merge } from "./merge.ts";
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
  let next = run.input.carried?.chapter ?? (await beginning(run));
  for (;;) {
    await run.turnPage(next);
    const then = await chapter(run, next);
    if (then.kind === "merged") return then;
    next = then;
  }
}

/** One part of the story after its beginning, and which one comes next. */
async function chapter(run: Run, now: Chapter): Promise<Chapter | Merged> {
  switch (now.kind) {
    case "plan":
      return { ...now, kind: "plan-approval", plan: await makePlan(run, now.classification) };
    case "plan-approval":
      await approvePlan(run, now);
      return { kind: "work", coding: implement(run, now.classification, now.plan) };
    case "work":
      return { kind: "publish", work: await untilVerified(run, now.coding) };
    case "publish":
      await publish(run, now.work);
      return { kind: "review", work: now.work };
    case "review":
      return following(run, now.work, await review(run, now.work), "checks");
    case "checks":
      return following(run, now.work, await awaitChecks(run, now.work, now.since), "approval");
    case "approval":
      return following(run, now.work, await decide(run, now.work), "approval");
    case "queue":
      return following(run, now.work, await inQueue(run, now.work, now.approvedBy), "approval");
  }
}

/** What stands against the change is answered first, and the answer goes out. */
async function following(
  run: Run,
  work: Work,
  revision: Merged | Revision | null,
  next: "checks" | "approval",
): Promise<Chapter | Merged> {
  if (revision === null) return { kind: next, work };
  return revision.kind === "merged" ? revision : { kind: "publish", work: await renew(run, work, revision) };
}

/** From the trigger to what kind of issue it is. */
async function beginning(run: Run): Promise<Chapter> {
  if (run.input.fork) return beginningOfFork(run, run.input.fork);
  run.ground = await run.step(() => openRun(run.firstStep()));
  run.status.title = run.ground.title;
  const { wrongClock } = run.ground;
  if (wrongClock) run.notice("clock", `On the machine of a worker ${wrongClock}. The run goes on.`);
  announce(run);
  const base = run.inBackground(() => prepareBase({ run: run.ref, ground: run.ground! }));
  bringIndexUpToDate(run, base);

  const classification = await classify(run);
  run.base = await base;
  return { kind: "plan", classification };
}

/** What kind of issue it is, and mostly the plan, too, were known before the turn that a fork goes on from. */
async function beginningOfFork(run: Run, fork: Fork): Promise<Chapter> {
  await goOnFrom(run, fork);
  const { classification } = fork;
  if (fork.plan === null) {
    bringIndexUpToDate(run, Promise.resolve(run.base!));
    return { kind: "plan", classification };
  }
  run.status.plan = renderPlan(fork.plan);
  notePlan(run, fork.plan);
  return { kind: "work", coding: implement(run, classification, fork.plan) };
}

async function classify(run: Run): Promise<Work["classification"]> {
  run.enter("classifying");
  await recallNeighbours(run);
  const brief = { kind: "classify", recalled: run.notes.recalled } as const;
  const answer = await run.team.work("classifier", brief, { commit: "" }, "goes-on", null);
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
  const brief = { kind: "plan", classification, recalled: run.notes.recalled } as const;
  const chapter = (): Chapter => ({ kind: "plan", classification });
  const answer = await run.team.work("planner", brief, run.base!, "goes-on", chapter);
  await closeSandboxes(run, ["planner"]);
  if (answer.kind === "gave-up") throw new GaveUp("planner", answer.reason);
  const plan = answer.data as Plan;
  run.landmarks.plan = plan;
  run.status.plan = renderPlan(plan);
  notePlan(run, plan);
  run.changed();
  return plan;
}

async function approvePlan(run: Run, chapter: Chapter & { kind: "plan-approval" }): Promise<void> {
  if (!run.settings.require_plan_approval) return;
  run.enter("awaiting-plan-approval");
  const detail = "Read the plan, then send approvePlan {by}, or comment `/mergewright approve plan`.";
  const approved = (): boolean => run.planApprovedBy() !== null;
  await awaitPeople(run, { kind: "plan-approval", detail }, approved, () => run.turnPage(chapter));
}

/** Asks for approval, and merges what was approved. Null: it could not be merged, and is to be asked about again. */
async function decide(run: Run, work: Work): Promise<Merged | Revision | null> {
  const decision = await awaitApproval(run, work);
  return decision.kind === "merge" ? merge(run, work, decision) : decision;
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
