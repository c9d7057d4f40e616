/**
 * A worker answers a query while another has begun the next task of the run, dies, and a person speaks: the history that comes
 * of it must be one that every later replay can follow. `workflows/run-ahead.ts` tells why it would not be.
 */
import { fileURLToPath } from "node:url";
import { Client, Connection } from "@temporalio/client";
import { temporal } from "@temporalio/proto";
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from "@temporalio/worker";
import Long from "long";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTemporalServer, type TemporalServer } from "../support/temporal-server.ts";
import { heard, speak, type story } from "./update-order/story.ts";

const { COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK } = temporal.api.enums.v1.CommandType;
const { TASK_QUEUE_KIND_STICKY } = temporal.api.enums.v1.TaskQueueKind;

const taskQueue = "update-order";
const queueOfTheDead = "update-order-sticky";
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

let server: TemporalServer;
let connection: NativeConnection;
let client: Client;

beforeAll(async () => {
  server = await startTemporalServer();
  connection = await NativeConnection.connect({ address: server.address });
  client = new Client({ connection: await Connection.connect({ address: server.address }) });
}, 60_000);

afterAll(async () => {
  await client?.connection.close();
  await connection?.close();
  await server?.stop();
});

it("what is said to a run, whose state a query had run ahead, is replayed in the order in which it was handled", async () => {
  let begun = (): void => undefined;
  let end = (): void => undefined;
  const stepBegins = new Promise<void>((resolve) => (begun = resolve));
  const stepEnds = new Promise<void>((resolve) => (end = resolve));
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: path("update-order/story.ts"),
    workflowInterceptorModules: [path("../../workflows/run-ahead.ts")],
    logger: new DefaultLogger("ERROR"),
  });
  const activities = { step: () => (begun(), stepEnds), next: async () => undefined, check: async () => undefined };
  const steps = await Worker.create({ connection, taskQueue, activities });

  await steps.runUntil(async () => {
    const run = await client.workflow.start<typeof story>("story", {
      taskQueue,
      workflowId: "run",
      // Long enough for the query and what is said to come before it is over.
      workflowTaskTimeout: "10s",
    });
    // The worker that dies, by hand: it takes the first task, then a query and the second task, which it never answers.
    await beginAsWorker();
    await stepBegins;
    const taken = poll(queueOfTheDead, taskQueue);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const asked = run.query(heard);
    expect((await taken).query?.queryType).toBe("heard");
    end();
    expect(Number((await poll(queueOfTheDead, taskQueue)).startedEventId)).toBeGreaterThan(0);

    const second = await Worker.create({ connection, taskQueue, workflowBundle });
    await second.runUntil(async () => {
      expect(await asked).toBe(false);
      expect(await run.executeUpdate(speak)).toBe("heard");
      await run.result();
    });
    await Worker.runReplayHistory({ workflowBundle }, await run.fetchHistory());
  });
}, 120_000);

async function beginAsWorker(): Promise<void> {
  const { taskToken } = await poll(taskQueue);
  await client.workflowService.respondWorkflowTaskCompleted({
    namespace: "default",
    taskToken,
    commands: [
      {
        commandType: COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        scheduleActivityTaskCommandAttributes: {
          activityId: "1",
          activityType: { name: "step" },
          taskQueue: { name: taskQueue },
          startToCloseTimeout: { seconds: Long.fromNumber(60) },
        },
      },
    ],
    stickyAttributes: {
      workerTaskQueue: { name: queueOfTheDead, kind: TASK_QUEUE_KIND_STICKY, normalName: taskQueue },
      scheduleToStartTimeout: { seconds: Long.fromNumber(2) },
    },
  });
}

function poll(name: string, normalName?: string) {
  const queue = normalName === undefined ? { name } : { name, normalName, kind: TASK_QUEUE_KIND_STICKY };
  return client.withDeadline(Date.now() + 20_000, () =>
    client.workflowService.pollWorkflowTaskQueue({ namespace: "default", taskQueue: queue, identity: "dies" }),
  );
}
