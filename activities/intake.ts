/** Letting a delivery in: who sent it is asked of GitHub, then the run of its issue is started or told. */
import { Context } from "@temporalio/activity";
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from "@temporalio/client";
import { type EarlierRun, readStateMarker, refuseRestart, refuseSender } from "../domain/admission.ts";
import { NotFound } from "../domain/errors.ts";
import type { Delivery, Intent } from "../domain/events.ts";
import { type IssueRun, issueWorkflowId, MARKER_PREFIX, type RepositoryName, runOfBranch } from "../domain/ids.ts";
import type { Forge } from "../domain/ports.ts";
import { priorityOf } from "../domain/priority.ts";
import type { RunSettings } from "../domain/settings.ts";
import { headOf } from "../domain/text.ts";
import {
  githubEventSignal,
  RESOLVE_ISSUE,
  type ResolveIssueInput,
  WORKFLOW_TASK_TIMEOUT,
} from "../workflows/messages.ts";
import { phaseAttribute } from "../workflows/search-attributes.ts";
import type { Activities, Admission } from "./contract.ts";
import { working } from "./temporal.ts";

export interface IntakeParts {
  forge: Forge;
  settingsFor(repository: RepositoryName): RunSettings;
  linksFor(workflowId: string): ResolveIssueInput["links"];
}

type Intake = Pick<Activities, "admitDelivery" | "startRun" | "signalRun">;

export function createIntake({ forge, settingsFor, linksFor }: IntakeParts): Intake {
  return {
    admitDelivery: ({ delivery }) =>
      working(async (): Promise<Admission> => {
        const { repository, intent } = delivery;
        if (intent.kind === "start") return admitTrigger(forge, delivery, intent);
        if (intent.kind === "teach") return admitTeaching({ forge, settingsFor }, delivery, intent);
        if (intent.kind === "forget") return { kind: "forget", repositories: intent.repositories };
        if (intent.kind === "rename") return { ...intent, since: delivery.at };
        const run = intent.kind === "signal" ? intent : await runOfPullRequest(forge, repository, intent.pullRequest);
        if (run === null) return { kind: "ignore", reason: "the pull request is not one of ours" };
        const workflowId = issueWorkflowId(repository, run.issue, run.fork ?? null);
        return { kind: "signal", workflowId, event: intent.event };
      }),

    startRun: ({ delivery }) =>
      working(async () => {
        const { repository, sender, at, intent } = delivery;
        if (intent.kind !== "start") throw new TypeError(`delivery ${delivery.guid} is not a trigger`);
        const workflowId = issueWorkflowId(repository, intent.issue);
        const { client } = Context.current();
        // An attempt before this one may have started it, and died before it could say so; by now that run may have ended.
        if (refuseRestart(at, await earlierRun(client, workflowId)) !== null) return { workflowId, started: false };
        const settings = settingsFor(repository);
        const input: ResolveIssueInput = {
          repository,
          issue: intent.issue,
          snapshot: intent.snapshot,
          trigger: { kind: intent.trigger, by: sender?.login ?? null, at, commentId: intent.reactTo },
          settings,
          links: linksFor(workflowId),
        };
        const options = {
          priority: priorityOf(repository, intent.snapshot.labels, settings.priority_labels),
          taskQueue: Context.current().info.taskQueue,
          workflowId,
          workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
          args: [input],
          staticSummary: headOf(`${repository}#${intent.issue} ${intent.snapshot.title}`, 200),
        };
        try {
          await client.workflow.start(RESOLVE_ISSUE, options);
          return { workflowId, started: true };
        } catch (error) {
          if (error instanceof WorkflowExecutionAlreadyStartedError) return { workflowId, started: false };
          throw error;
        }
      }),

    signalRun: ({ workflowId, event }) =>
      working(async () => {
        try {
          await Context.current().client.workflow.getHandle(workflowId).signal(githubEventSignal, event);
          return { delivered: true };
        } catch (error) {
          if (error instanceof WorkflowNotFoundError) return { delivered: false };
          throw error;
        }
      }),
  };
}

async function admitTeaching(
  { forge, settingsFor }: Pick<IntakeParts, "forge" | "settingsFor">,
  { repository, sender, at }: Delivery,
  { issue, text, commentId }: Intent & { kind: "teach" },
): Promise<Admission> {
  const permission = sender === null ? "none" : await forge.permission(repository, sender.login);
  const stranger = refuseSender(sender, permission);
  if (stranger !== null || sender === null) return { kind: "ignore", reason: stranger ?? "nobody said it" };
  if (!settingsFor(repository).memory.enabled)
    return { kind: "ignore", reason: "nothing is remembered here (memory.enabled is false)" };
  return { kind: "teach", teaching: { repository, issue, by: sender.login, text, at, commentId } };
}

async function admitTrigger(forge: Forge, delivery: Delivery, intent: Intent & { kind: "start" }): Promise<Admission> {
  const { repository, sender, at } = delivery;
  const permission = sender === null ? "none" : await forge.permission(repository, sender.login);
  const stranger = refuseSender(sender, permission);
  if (stranger) return { kind: "ignore", reason: stranger };
  const workflowId = issueWorkflowId(repository, intent.issue);
  const earlier =
    (await earlierRun(Context.current().client, workflowId)) ??
    (await earlierOnGitHub(forge, repository, intent.issue));
  const refused = refuseRestart(at, earlier) ?? (await refuseIssue(forge, repository, intent.issue));
  return refused ? { kind: "ignore", reason: refused } : { kind: "start", workflowId };
}

/** Deliveries come out of order: what the payload shows as open may be closed or gone by now. */
async function refuseIssue(forge: Forge, repository: RepositoryName, issue: number): Promise<string | null> {
  try {
    const { state } = await forge.issue(repository, issue);
    return state === "closed" ? "the issue is closed by now; reopen it before starting a run" : null;
  } catch (error) {
    if (error instanceof NotFound) return `the issue is not there any more: ${error.message}`;
    throw error;
  }
}

async function earlierRun(client: Client, workflowId: string): Promise<EarlierRun | null> {
  try {
    const { status, closeTime, typedSearchAttributes } = await client.workflow.getHandle(workflowId).describe();
    if (status.name === "RUNNING") return { endedAt: null, merged: false };
    const endedAt = (closeTime ?? new Date()).toISOString();
    return { endedAt, merged: typedSearchAttributes.get(phaseAttribute) === "merged" };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Temporal forgets ended runs after its retention; our progress comment does not. A run that it shows as going on is lost. */
async function earlierOnGitHub(forge: Forge, repository: RepositoryName, issue: number): Promise<EarlierRun | null> {
  const comment = await forge.findComment(repository, issue, `${MARKER_PREFIX}state `);
  const state = comment && readStateMarker(comment.body);
  return state?.endedAt ? state : null;
}

async function runOfPullRequest(forge: Forge, repository: RepositoryName, number: number): Promise<IssueRun | null> {
  const { headRef, sameRepository } = await forge.pullRequest(repository, number);
  return sameRepository ? runOfBranch(headRef) : null;
}
