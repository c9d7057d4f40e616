/** A delivery that GitHub was told is taken: on a real Temporal server, with GitHub played. */
import { randomUUID } from "node:crypto";
import { type Client, WorkflowExecutionAlreadyStartedError } from "@temporalio/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDeliveriesAgain, failedDeliveries } from "../../activities/failed-deliveries.ts";
import { createIntake } from "../../activities/intake.ts";
import { createReconcile } from "../../activities/reconcile.ts";
import type { UpkeepActivities } from "../../activities/upkeep.ts";
import { AccessDenied, ConfigurationError, NotFound } from "../../domain/errors.ts";
import type { Delivery } from "../../domain/events.ts";
import { LET_IN_WITHIN_MS } from "../../domain/failed-deliveries.ts";
import { deliveryWorkflowId, issueWorkflowId } from "../../domain/ids.ts";
import type { DeliveryAttempt } from "../../domain/news.ts";
import type { Forge } from "../../domain/ports.ts";
import { RepositorySettings } from "../../domain/settings.ts";
import type { ReconcileReport } from "../../domain/upkeep.ts";
import { troubledDeliveries } from "../../workers/delivery-health.ts";
import { deliveryStart, HANDLE_DELIVERY } from "../../workflows/messages.ts";
import { runWorker, temporalClient } from "../support/temporal.ts";
import { type Played, playActivities } from "./played-activities.ts";

let client: Client;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  client = await temporalClient();
});
afterAll(async () => {
  for (const stop of stops) await stop();
  await client.connection.close();
});

async function worker(played: Played, more: object = {}): Promise<(delivery: Delivery) => Promise<string>> {
  const { taskQueue, stop } = await runWorker({ activities: { ...played.activities, ...more } });
  stops.push(stop);
  return (delivery) => client.workflow.execute(HANDLE_DELIVERY, deliveryStart(delivery, taskQueue));
}

function trigger(repository: string, at = new Date().toISOString()): Delivery {
  const snapshot = { repository, number: 1, title: "", body: "", author: "rita", labels: [], url: "", updatedAt: at };
  const intent = { kind: "start", issue: 1, snapshot, trigger: "labeled", reactTo: null } as const;
  return { guid: randomUUID(), repository, sender: { login: "mara", id: 1, isBot: false }, at, intent };
}

const fresh = (): string => `o/r-${randomUUID().slice(0, 8)}`;

describe("a delivery", () => {
  it("outlives a key that is refused and settings that are wrong", async () => {
    const played = playActivities();
    played.fail.set("admitDelivery", [
      new AccessDenied("GitHub", "The App's key was refused (401)."),
      new ConfigurationError(["The App's key is not a key."]),
    ]);
    const handle = await worker(played);
    await expect(handle(trigger(fresh()))).resolves.toBe("ignored: played");
    expect(played.inputs("admitDelivery")).toHaveLength(3);
  });

  it("that failed is done when it is sent again; one that is done is not done again", async () => {
    const played = playActivities();
    played.fail.set("admitDelivery", [new NotFound("GitHub", "It is not there.")]);
    const handle = await worker(played);
    const delivery = trigger(fresh());
    await expect(handle(delivery)).rejects.toThrow();
    await expect(handle(delivery)).resolves.toBe("ignored: played");
    await expect(handle(delivery)).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
  });

  it("whose key is refused for an hour fails in sight, and is tried again by the sweep until it is let in, once", async () => {
    const played = playActivities();
    const refused = new AccessDenied("GitHub", "The App is not installed on o/r.");
    played.fail.set("admitDelivery", [refused, refused]);
    const delivery = trigger(fresh(), new Date(Date.now() - LET_IN_WITHIN_MS).toISOString());
    const { taskQueue, stop } = await runWorker({ activities: { ...played.activities, ...sweeping([]) } });
    stops.push(stop);
    const id = deliveryWorkflowId(delivery.guid);
    const stuck = async () =>
      (await failedDeliveries(client, new Date(), 100)).filter(({ workflowId }) => workflowId === id);
    const troubled = async () => (await troubledDeliveries(client)) ?? "";
    const begun = client.workflow.execute(HANDLE_DELIVERY, deliveryStart(delivery, taskQueue));
    await expect(begun).rejects.toThrow();
    await until(async () => (await stuck()).length === 1);
    expect(await troubled()).toMatch(/not let in, the newest is delivery\/.*: The App is not installed on o\/r\./);

    const { since } = (await stuck())[0]!;
    expect(await sweep(taskQueue)).toMatchObject({ triedAgain: 1, handedOn: 0 });
    await until(async () => (await stuck())[0]?.failures === 2);
    expect((await stuck())[0]!.since).toEqual(since);
    // It failed a moment ago.
    expect(await sweep(taskQueue)).toMatchObject({ triedAgain: 0 });
    expect(played.inputs("admitDelivery")).toHaveLength(2);

    const later = new Date(Date.now() + 2 * 60_000).toISOString();
    expect(await sweep(taskQueue, later)).toMatchObject({ triedAgain: 1 });
    await expect(client.workflow.getHandle(id).result()).resolves.toBe("ignored: played");
    expect(await stuck()).toEqual([]);
    expect(await troubled()).not.toContain(id);
    expect(await sweep(taskQueue, later)).toMatchObject({ triedAgain: 0 });
    expect(played.inputs("admitDelivery")).toHaveLength(3);
  });

  it("that failed, and that GitHub lists as missed, is tried again, and not handed on beside it", async () => {
    const played = playActivities();
    played.fail.set("admitDelivery", [new NotFound("GitHub", "It is not there.")]);
    const delivery = trigger(fresh());
    const { taskQueue, stop } = await runWorker({ activities: { ...played.activities, ...sweeping([delivery]) } });
    stops.push(stop);
    await expect(client.workflow.execute(HANDLE_DELIVERY, deliveryStart(delivery, taskQueue))).rejects.toThrow();
    const id = deliveryWorkflowId(delivery.guid);
    await until(async () => (await failedDeliveries(client, new Date(), 100)).some((each) => each.workflowId === id));
    expect(await sweep(taskQueue)).toMatchObject({ triedAgain: 1, seen: 1, handedOn: 0, known: 1 });
    await expect(client.workflow.getHandle(id).result()).resolves.toBe("ignored: played");
    expect(await sweep(taskQueue)).toMatchObject({ triedAgain: 0, seen: 1, handedOn: 0, known: 1 });
    expect(played.inputs("admitDelivery")).toHaveLength(2);
  });
});

it("an owner whose key is refused keeps no other from being swept, and is told", async () => {
  const asked: string[] = [];
  const account = (owner: string): string => `${owner}/any`;
  const sweeps = createReconcile({
    forge: {
      writableRepositories: async (of: string) => {
        if (of === account("mallory")) throw new AccessDenied("GitHub", "The token was refused (401).");
        return [];
      },
      viewer: async () => ({ login: "mergewright-bot", id: 1, kind: "user" }),
      changedIssues: async (repository: string) => (asked.push(repository), []),
    } as unknown as Forge,
    triggers: { label: "mergewright", assignee: true, comment: true, opened: false } as never,
    credentials: {
      ours: null,
      byOwner: new Map([
        ["mallory", "token"],
        ["ada", "token"],
      ]),
    },
    repositories: ["Ada/engine", "mallory/spy"],
  });
  const { taskQueue, stop } = await runWorker({ activities: { ...sweeps, tryDeliveriesAgain: async () => 0 } });
  stops.push(stop);
  const { failed, since } = await sweep(taskQueue);
  expect(asked).toContain("Ada/engine");
  expect(asked).not.toContain("mallory/spy");
  expect(failed).toEqual([{ account: account("mallory"), reason: "The token was refused (401).", since }]);
});

describe("a trigger", () => {
  it("starts one run, also when its worker dies before it can say so and the run has ended meanwhile; a later one starts another", async () => {
    const played = playActivities();
    played.classification.category = "question";
    const settings = { ...RepositorySettings.parse({}), prices: {} };
    const forge = {
      permission: async () => "write",
      issue: async () => ({ state: "open" }),
      findComment: async () => null,
    } as unknown as Forge;
    const intake = createIntake({
      forge,
      settingsFor: () => settings,
      linksFor: () => ({ page: null, webUi: null }),
    });
    const repository = fresh();
    const runs: string[] = [];
    const startRun: typeof intake.startRun = async (input) => {
      const started = await intake.startRun(input);
      const run = client.workflow.getHandle(started.workflowId);
      await run.result();
      runs.push((await run.describe()).runId);
      if (runs.length === 1) throw new Error("The worker died.");
      return started;
    };
    const handle = await worker(played, { ...intake, startRun });
    const workflowId = issueWorkflowId(repository, 1);
    await expect(handle(trigger(repository))).resolves.toBe(`${workflowId} was started already`);
    expect(runs[1]).toBe(runs[0]);
    await expect(handle(trigger(repository))).resolves.toBe(`started ${workflowId}`);
    expect(runs[2]).not.toBe(runs[0]);
  });
});

/** The sweep, as it would run at this moment. */
async function sweep(taskQueue: string, now?: string): Promise<ReconcileReport> {
  sweepsAt = now ?? null;
  return client.workflow.execute("reconcile", { workflowId: `reconcile-${randomUUID()}`, taskQueue, args: [] });
}

let sweepsAt: string | null = null;

/** The activities of the sweep, with these deliveries in an App's list. */
function sweeping(missed: readonly Delivery[]): Partial<UpkeepActivities> {
  const { tryDeliveriesAgain } = createDeliveriesAgain();
  return {
    ...createReconcile({
      forge: missed[0] ? appThatMissed(missed[0]) : ({ deliveryAttempts: async () => [] } as unknown as Forge),
      triggers: { label: "mergewright", assignee: true, comment: true, opened: false } as never,
      credentials: { ours: "app", byOwner: new Map() },
      repositories: [],
    }),
    tryDeliveriesAgain: ({ now }) => tryDeliveriesAgain({ now: sweepsAt ?? now }),
  };
}

/** What visibility shows comes a moment later. */
async function until(met: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await met()); tries += 1) {
    if (tries > 100) throw new Error("It never came.");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** GitHub with one delivery that no receiver ever took. */
function appThatMissed({ guid, repository, at }: Delivery): Forge {
  const attempt: DeliveryAttempt = { id: 7, guid, event: "issues", action: "labeled", at, status: 502 };
  const account = { login: "mara", id: 1, type: "User" };
  const payload = {
    action: "labeled",
    label: { name: "mergewright" },
    sender: account,
    repository: { full_name: repository },
    issue: {
      number: 1,
      title: "",
      body: "",
      user: account,
      labels: [{ name: "mergewright" }],
      html_url: "",
      updated_at: at,
      state: "open",
    },
  };
  return { deliveryAttempts: async () => [attempt], deliveryPayload: async () => payload } as unknown as Forge;
}
