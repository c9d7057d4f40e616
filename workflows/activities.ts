/** Every time-out and every retry of the product, in one file. */
import { proxyActivities } from "@temporalio/workflow";
import type { Activities } from "../activities/contract.ts";
import { ASKED_TO_WAIT } from "../domain/patience.ts";
import { NO_PLACE, WORKER_STOPPING } from "./home.ts";

import type { UpkeepActivities } from "../activities/upkeep.ts";

/**
 * Failures that the same attempt would meet again. The run parks with the reason until an operator resumes it (see
 * `parked.ts`), so nothing is lost by not retrying. `domain/patience.ts` tells what becomes of them.
 */
const FINAL = [
  "AccessDenied",
  "RequestRefused",
  "NotFound",
  "ConfigurationError",
  "SandboxUnavailable",
  "UnacceptableObjects",
  "ArtifactMissing",
  "CannotDecrypt",
  "GitFailed",
];

/**
 * The steps of a run. A hiccup of some seconds is over before anybody sees it; what lasts longer, or was limited, goes back to the
 * workflow, which shows it and waits on a timer of its own.
 */
const parking = {
  initialInterval: "500ms",
  backoffCoefficient: 2,
  maximumAttempts: 4,
  nonRetryableErrorTypes: [...FINAL, "RateLimited", ASKED_TO_WAIT] as string[],
} as const;

/** What nobody waits for in sight is tried without end: what may be short starts quickly, what lasts is asked for twice a minute. */
const patient = {
  initialInterval: "500ms",
  backoffCoefficient: 2,
  maximumInterval: "30s",
  nonRetryableErrorTypes: FINAL,
} as const;

/** What stops no run when it cannot be done: labels, reactions, comments, the end of a sandbox. */
const briefly = { ...patient, maximumAttempts: 5 } as const;

/**
 * A worker that has not been heard of for this long is dead, and its work goes to another. It beats every second (`activities/temporal.ts`),
 * so three beats may be lost. A false alarm does nothing twice, but may pay for a call to Claude that was in flight.
 */
const UNHEARD_MS = 4_000;

/** Tools, tests and calls to Claude have time limits of their own; a worker that dies is noticed by its missing heartbeat. */
export const { takeTurn, runTests } = proxyActivities<Activities>({
  startToCloseTimeout: "6 hours",
  heartbeatTimeout: UNHEARD_MS,
  // Lost with its worker, or handed over by one that stops or is full: `home.ts` decides where it is tried again.
  retry: {
    ...parking,
    nonRetryableErrorTypes: [...parking.nonRetryableErrorTypes, WORKER_STOPPING, NO_PLACE, "TemporalTimeout:Heartbeat"],
  },
});

export const { prepareBase, takeOver, collectChange } = proxyActivities<Activities>({
  startToCloseTimeout: "6 hours",
  heartbeatTimeout: UNHEARD_MS,
  retry: parking,
});

/** A Git transfer has a limit of its own, 15 minutes, and pushing may take three of them. */
export const { pushBranch, bringIn } = proxyActivities<Activities>({
  startToCloseTimeout: "50 minutes",
  heartbeatTimeout: UNHEARD_MS,
  retry: parking,
});

/** One or a few requests to GitHub. */
export const {
  openRun,
  openPullRequest,
  readPullRequest,
  editPullRequest,
  setDraft,
  readChecks,
  explainChecks,
  mergePullRequest,
  readMergeQueue,
  closeIssue,
} = proxyActivities<Activities>({
  startToCloseTimeout: "5 minutes",
  heartbeatTimeout: UNHEARD_MS,
  retry: parking,
});

/** Questions about what people and GitHub told a run: asked beside the story, until there is an answer. */
export const {
  checkPermission,
  readPullRequest: lookAtPullRequest,
  readNews,
} = proxyActivities<Activities>({
  startToCloseTimeout: "5 minutes",
  heartbeatTimeout: UNHEARD_MS,
  retry: patient,
});

export const { closeSandbox, putComment, addLabels, removeLabel, assign, react, reportStatus, postReview } =
  proxyActivities<Activities>({
    startToCloseTimeout: "2 minutes",
    heartbeatTimeout: UNHEARD_MS,
    retry: briefly,
  });

/** The intake of a delivery: GitHub may be down for a day, and the delivery waits. What an operator must mend: `handle-delivery.ts`. */
export const { admitDelivery, startRun, signalRun } = proxyActivities<Activities>({
  startToCloseTimeout: "1 minute",
  heartbeatTimeout: UNHEARD_MS,
  retry: patient,
});

/** Asked for the run that waits: whatever does not answer at once is gone without. */
export const { recallIssues, recallCode, startIndexing } = proxyActivities<Activities>({
  startToCloseTimeout: "20 seconds",
  scheduleToCloseTimeout: "30 seconds",
  heartbeatTimeout: UNHEARD_MS,
  retry: { ...patient, maximumAttempts: 2 },
});

/** Handing something to the memory's own workflows is one request to Temporal; a reaction to a comment may follow it. */
export const { rememberRun, teach, startForgetting } = proxyActivities<Activities>({
  startToCloseTimeout: "1 minute",
  heartbeatTimeout: UNHEARD_MS,
  retry: briefly,
});

/** It asks the store what there is of an account's. Nothing else tells us again that it was renamed. */
export const { startMoving } = proxyActivities<Activities>({
  startToCloseTimeout: "5 minutes",
  heartbeatTimeout: "30 seconds",
  retry: { initialInterval: "1s", backoffCoefficient: 2, maximumInterval: "1 minute" },
});

/** The first index of a large repository takes minutes. The next attempt goes on where one was broken off; so does the next run. */
export const { indexCode } = proxyActivities<Activities>({
  startToCloseTimeout: "4 hours",
  heartbeatTimeout: "30 seconds",
  retry: { ...patient, maximumAttempts: 10 },
});

/** Asked again by the writer, later and later (`keep-memories.ts`); what it does not get is told, and found by words meanwhile. */
export const { embedMemories } = proxyActivities<Activities>({
  startToCloseTimeout: "5 minutes",
  heartbeatTimeout: "30 seconds",
  retry: { ...patient, maximumAttempts: 2 },
});

/** What is to be remembered waits for its store as long as it takes, whatever is wrong with that; what it refuses for good is set aside. */
export const { storeMemories, forgetRepository, moveRepository } = proxyActivities<Activities>({
  startToCloseTimeout: "5 minutes",
  heartbeatTimeout: "30 seconds",
  retry: { initialInterval: "1s", backoffCoefficient: 2, maximumInterval: "1 minute" },
});

/** Upkeep comes again by its schedule: what does not succeed soon is left to the next time, and the schedule shows it. */
export const { tryDeliveriesAgain, sweepSources, sweep, forgetOldMemories } = proxyActivities<UpkeepActivities>({
  startToCloseTimeout: "15 minutes",
  scheduleToCloseTimeout: "45 minutes",
  heartbeatTimeout: UNHEARD_MS,
  retry: { ...patient, maximumAttempts: 5 },
});

/** Each run that is kept costs some questions, to Temporal and the store: tens of thousands fit into this. Its Schedule ends it after two hours. */
export const { removeExpired } = proxyActivities<UpkeepActivities>({
  startToCloseTimeout: "100 minutes",
  heartbeatTimeout: UNHEARD_MS,
  retry: { ...patient, maximumAttempts: 5 },
});
