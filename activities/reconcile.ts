/** The reconcile sweep: what webhooks did not bring is looked for on GitHub, and goes the way of every delivery. */
import { Context, log } from "@temporalio/activity";
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from "@temporalio/client";
import { readDelivery, routeDelivery, type RoutingRules } from "../domain/delivery.ts";
import { AccessDenied, NotFound } from "../domain/errors.ts";
import type { Delivery } from "../domain/events.ts";
import { deliveryWorkflowId, type RepositoryName, sameRepository } from "../domain/ids.ts";
import { type DeliveryAttempt, missedDeliveries } from "../domain/news.ts";
import type { Forge } from "../domain/ports.ts";
import type { Triggers } from "../domain/settings.ts";
import { mayTrigger, triggersInComments, triggersOfIssue } from "../domain/sweep.ts";
import { addSweeps, noneSwept, OURS, type SweepCounts } from "../domain/upkeep.ts";
import { deliveryStart, githubEventSignal, HANDLE_DELIVERY } from "../workflows/messages.ts";
import { type OpenRun, openRuns, repositoriesOfRuns } from "./runs-in-temporal.ts";
import { working } from "./temporal.ts";
import type { SweepSource, UpkeepActivities } from "./upkeep.ts";

export interface ReconcileParts {
  forge: Forge;
  triggers: Triggers;
  /** Kinds of the credentials: ours (null: there are none), and by owner in lower case of those who bring their own. */
  credentials: { ours: "app" | "token" | null; byOwner: ReadonlyMap<string, "app" | "token"> };
  /** Repositories with settings of their own. */
  repositories: readonly RepositoryName[];
}

/**
 * Repositories of one token in one sweep. Each costs one request while nothing changes: six sweeps an hour are 600 of the
 * 5,000 that a token has. Configured ones and those with earlier runs come first, then the most recently pushed.
 */
const MAX_REPOSITORIES = 100;

interface Sweep {
  client: Client;
  since: string;
  taskQueue: string;
  signal: AbortSignal;
}

export function createReconcile({
  forge,
  triggers,
  credentials,
  repositories,
}: ReconcileParts): Pick<UpkeepActivities, "sweepSources" | "sweep"> {
  return {
    sweepSources: () =>
      working(async () => {
        const known = [...repositories, ...(await repositoriesOfRuns(Context.current().client))];
        const owners = [...credentials.byOwner].map(([owner, kind]) => ({ owner, kind }));
        const ours = credentials.ours === null ? [] : [{ owner: null, kind: credentials.ours }];
        // Nothing is asked of GitHub yet: whoever is refused there keeps nobody else from being swept.
        return [...ours, ...owners].map(({ owner, kind }): SweepSource => {
          const account = `${owner ?? OURS}/any`;
          if (kind === "app") return { kind, account };
          return { kind, account, repositories: swept(account, known) };
        });
      }),

    sweep: ({ source, since, taskQueue }) =>
      working(({ signal }) => {
        const sweep = { client: Context.current().client, since, taskQueue, signal };
        return source.kind === "app" ? sweepDeliveries(source, sweep) : sweepRepositories(source, sweep);
      }),
  };

  /** The owner whose credentials speak for a repository; null: ours do. */
  function sourceOf(repository: RepositoryName): string | null {
    const owner = ownerOf(repository);
    return credentials.byOwner.has(owner) ? owner : null;
  }

  /** Of these the ones that an account sweeps. */
  function swept(account: RepositoryName, names: readonly RepositoryName[]): RepositoryName[] {
    return unique(names)
      .filter((name) => ourAccount(name) === account)
      .slice(0, MAX_REPOSITORIES);
  }

  async function sweepDeliveries({ account }: SweepSource & { kind: "app" }, sweep: Sweep): Promise<SweepCounts> {
    let done = noneSwept;
    for (const missed of missedDeliveries(await forge.deliveryAttempts(account, sweep.since))) {
      sweep.signal.throwIfAborted();
      // Its payload need not be asked for when no run is about such events.
      const { event, action } = missed;
      if (readDelivery(event, { action }, { guid: missed.guid, receivedAt: missed.at }).kind === "unknown") continue;
      done = addSweeps(done, await sweepDelivery(account, missed, sweep));
    }
    return done;
  }

  async function sweepDelivery(account: RepositoryName, missed: DeliveryAttempt, sweep: Sweep): Promise<SweepCounts> {
    const { guid, event, at } = missed;
    const seen = { ...noneSwept, seen: 1 };
    if (await isKnown(sweep.client, guid)) return { ...seen, known: 1 };
    const payload = await readable(forge.deliveryPayload(account, missed.id));
    const read = payload && readDelivery(event, payload.value, { guid, receivedAt: at });
    if (read?.kind !== "read") {
      log.warn("a missed delivery cannot be read", { delivery: guid, event });
      return { ...seen, unreadable: 1 };
    }
    const routed = routeDelivery(read.event, { triggers, ourLogin: null });
    // An App does not speak for owners who bring credentials of their own, though it may be installed there, too.
    if (routed.kind === "ignore" || ourAccount(routed.delivery.repository) !== account) return seen;
    return addSweeps(seen, await handOn(routed.delivery, sweep));
  }

  async function sweepRepositories(source: SweepSource & { kind: "token" }, sweep: Sweep): Promise<SweepCounts> {
    const { login } = await forge.viewer(source.account);
    const rules = { triggers, ourLogin: login };
    const open = await openRuns(sweep.client);
    const visible = await forge.writableRepositories(source.account, MAX_REPOSITORIES);
    let done = noneSwept;
    for (const repository of swept(source.account, [...source.repositories, ...visible])) {
      sweep.signal.throwIfAborted();
      const runs = open.filter((run) => sameRepository(run.repository, repository));
      const counts = await readable(sweepRepository(repository, rules, runs, sweep));
      if (counts === null) log.warn("a repository cannot be read", { repository });
      done = addSweeps(done, counts?.value ?? { ...noneSwept, unreadable: 1 });
    }
    return done;
  }

  async function sweepRepository(
    repository: RepositoryName,
    rules: RoutingRules,
    runs: readonly OpenRun[],
    sweep: Sweep,
  ): Promise<SweepCounts> {
    const { since } = sweep;
    const changed = await forge.changedIssues(repository, since);
    // A comment changes its issue: where none has changed, none was made.
    const comments = changed.length === 0 || !triggers.comment ? [] : await forge.newComments(repository, since, null);
    const missed = triggersInComments(comments, changed, rules, since);
    for (const issue of changed.filter((each) => mayTrigger(each, rules))) {
      missed.push(...triggersOfIssue(issue, await forge.issueTriggers(repository, issue.number), rules, since));
    }
    let done: SweepCounts = { ...noneSwept, seen: changed.length + comments.length };
    for (const delivery of missed) done = addSweeps(done, await handOn(delivery, sweep));

    const numbers = new Set(changed.map(({ number }) => number));
    // Of checks that finish no issue tells.
    const newsFor = runs.filter(
      (run) => run.phase === "awaiting-checks" || run.numbers.some((each) => numbers.has(each)),
    );
    for (const run of newsFor) done = addSweeps(done, await nudge(sweep.client, run));
    return done;
  }

  function ourAccount(repository: RepositoryName): RepositoryName {
    return `${sourceOf(repository) ?? OURS}/any`;
  }
}

/** The way of every delivery: permission, earlier runs and markers are asked about there. */
async function handOn(delivery: Delivery, { client, taskQueue }: Sweep): Promise<SweepCounts> {
  if (await isKnown(client, delivery.guid)) return { ...noneSwept, known: 1 };
  try {
    await client.workflow.start(HANDLE_DELIVERY, deliveryStart(delivery, taskQueue));
    log.info("missed by its webhook, handed on now", { delivery: delivery.guid, repository: delivery.repository });
    return { ...noneSwept, handedOn: 1 };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { ...noneSwept, known: 1 };
    throw error;
  }
}

/** One that failed is tried again as it is: `failed-deliveries.ts`. One that an operator has cancelled or terminated is not looked for again. */
async function isKnown(client: Client, guid: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(deliveryWorkflowId(guid)).describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

async function nudge(client: Client, run: OpenRun): Promise<SweepCounts> {
  try {
    await client.workflow
      .getHandle(run.workflowId)
      .signal(githubEventSignal, { kind: "look-again", at: new Date().toISOString() });
    return { ...noneSwept, nudged: 1 };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return noneSwept;
    throw error;
  }
}

/** null: our account may not read it, or it is gone. That is told, and stops no sweep. */
async function readable<T>(reading: Promise<T>): Promise<{ value: T } | null> {
  try {
    return { value: await reading };
  } catch (error) {
    if (error instanceof NotFound || error instanceof AccessDenied) return null;
    throw error;
  }
}

function ownerOf(repository: RepositoryName): string {
  return repository.split("/")[0]!.toLowerCase();
}

/** The first spelling of each counts. */
function unique(names: readonly RepositoryName[]): RepositoryName[] {
  return [...new Map(names.toReversed().map((name) => [name.toLowerCase(), name])).values()].toReversed();
}
