/** Every time-out and every retry of the product, in one file. */
import { proxyActivities } from "@temporalio/workflow";
import type { Activities } from "../activities/contract.ts";

/**
 * Failures that the same attempt would meet again. The run parks with the reason until an operator resumes it (see
 * `parked.ts`), so nothing is lost by not retrying.
 */
const FINAL = [
  "AccessDenied",
  "RequestRefused",
  "NotFound",
  "ConfigurationError",
  "SandboxUnavailable",
  "UnacceptableObjects",
  "ArtifactMissing",
  "GitFailed",
];

/** Outages are waited for without end: what may be short starts quickly, what lasts is asked for twice a minute. */
const patient = {
  initialInterval: "500ms",
  backoffCoefficient: 2,
  maximumInterval: "30s",
  nonRetryableErrorTypes: FINAL,
} as const;

/** What stops no run when it cannot be done: labels, reactions, comments, the end of a sandbox. */
const briefly = { ...patient, maximumAttempts: 5 } as const;

/** Tools, tests and calls to Claude have time limits of their own; a worker that dies is noticed by its missing heartbeat. */
export const { takeTurn, runTests, prepareBase, collectChange } = proxyActivities<Activities>({
  startToCloseTimeout: "6 hours",
  heartbeatTimeout: "15s",
  retry: patient,
});

/** One or a few requests to GitHub, or one Git transfer. */
export const {
  openRun,
  checkPermission,
  pushBranch,
  openPullRequest,
  readPullRequest,
  editPullRequest,
  setDraft,
  readChecks,
  mergePullRequest,
  closeIssue,
} = proxyActivities<Activities>({
  startToCloseTimeout: "5 minutes",
  heartbeatTimeout: "15s",
  retry: patient,
});

export const { closeSandbox, putComment, addLabels, removeLabel, assign, react, reportStatus } =
  proxyActivities<Activities>({
    startToCloseTimeout: "2 minutes",
    heartbeatTimeout: "15s",
    retry: briefly,
  });

/** The intake of a delivery: GitHub may be down for a day, the delivery waits. */
export const { admitDelivery, startRun, signalRun } = proxyActivities<Activities>({
  startToCloseTimeout: "1 minute",
  retry: patient,
});
