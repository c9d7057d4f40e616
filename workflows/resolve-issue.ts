/** The story of an issue: from the trigger to the merged pull request. */
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  log,
} from "@temporalio/workflow";
import type { Plan } from "../domain/outputs.ts";
import { renderPlan } from "../domain/plan-text.ts";
import type { Outcome } from "../domain/run.ts";
import { openRun, prepareBase } from "./activities.ts";
import { announce, endOnGitHub, keepProgressComment } from "./announce.ts";
import { awaitApproval, awaitChecks, review, type Revision } from "./gates.ts";
import { implement, revise, type Work } from "./implement.ts";
import { merge } from "./merge.ts";
import type { ResolveIssueInput } from "./messages.ts";
import { reasonOf } from "./parked.ts";
import { publish } from "./publish.ts";
import { Run } from "./run.ts";
import { closeSandboxes, Declined, GaveUp } from "./story.ts";

export async function resolveIssue(input: ResolveIssueInput): Promise<Outcome> {
  const run = new Run(input);
  const progress = keepProgressComment(run);
  const ending = await run.scope.run(() => story(run)).catch((error: unknown) => endingOf(run, error));

  run.beginEnding();
  await CancellationScope.nonCancellable(async () => {
    await closeSandboxes(run);
    await endOnGitHub(run, ending);
    run.end(ending);
    await progress.finish();
    await condition(allHandlersFinished);
  });
  if (ending.kind === "failed") throw ApplicationFailure.nonRetryable(ending.reason, "RunFailed");
  if (run.cancellation !== null) throw run.cancellation;
  return ending;
}

async function story(run: Run): Promise<Outcome> {
  run.ground = await run.step(() => openRun({ run: run.ref, snapshot: run.input.snapshot, settings: run.settings }));
  run.status.title = run.ground.title;
  announce(run);
  const base = run.inBackground(() => prepareBase({ run: run.ref, ground: run.ground! }));

  const category = await classify(run);
  run.base = await base;
  // Here the run will recall how similar issues were solved, once there is a memory to ask.
  const plan = await makePlan(run, category);
  await approvePlan(run);

  let work = await implement(run, category, plan);
  for (;;) {
    await publish(run, work);
    const revision = (await review(run, work)) ?? (await awaitChecks(run, work)) ?? (await decide(run, work));
    if (revision.kind === "merged") return revision;
    work = await revise(run, work, revision);
  }
  // And here, after the merge, it will remember how this one was.
}

async function classify(run: Run): Promise<Work["classification"]> {
  run.enter("classifying");
  const answer = await run.agent("classifier", { kind: "classify" }, { commit: "" });
  if (answer.kind === "gave-up") throw new GaveUp("classifier", answer.reason);
  const classification = answer.data as Work["classification"];
  run.status.category = classification.category;
  if (classification.category === "question" || classification.category === "invalid") {
    throw new Declined(`classified as ${classification.category}: ${classification.reason}`);
  }
  return classification;
}

async function makePlan(run: Run, classification: Work["classification"]): Promise<Plan> {
  run.enter("planning");
  const answer = await run.agent("planner", { kind: "plan", classification }, run.base!);
  await closeSandboxes(run, ["planner"]);
  if (answer.kind === "gave-up") throw new GaveUp("planner", answer.reason);
  const plan = answer.data as Plan;
  run.status.plan = renderPlan(plan);
  run.changed();
  return plan;
}

async function approvePlan(run: Run): Promise<void> {
  if (!run.settings.require_plan_approval) return;
  run.enter("awaiting-plan-approval");
  const detail = "Read the plan, then send approvePlan {by}, or comment `/mergewright approve plan`.";
  await run.waitFor({ kind: "plan-approval", detail }, () => run.planApprovedBy() !== null);
}

/** Asks for approval until the merge is done, or somebody wants changes. */
async function decide(run: Run, work: Work): Promise<Revision | (Outcome & { kind: "merged" })> {
  for (;;) {
    const decision = await awaitApproval(run, work);
    if (decision.kind === "revise") return decision;
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
