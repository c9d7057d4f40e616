/** What a test needs of Temporal: the one server, the one bundle, and a worker on a task queue of the test's own. */
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Client, Connection, type ClientOptions } from "@temporalio/client";
import { bundleWorkflowCode, NativeConnection, Runtime, Worker, type WorkerOptions } from "@temporalio/worker";
import { inject } from "vitest";
import { sandboxQueue } from "../../domain/ids.ts";
import type { Provided } from "../global-setup.ts";

/** `127.0.0.1:PORT` of the dev server that runs for all tests; namespace `default`. */
export function temporalAddress(): string {
  return valueOf(inject("temporalAddress"), "No Temporal server");
}

/** Path of the Temporal CLI that the server was started with. */
export function temporalCli(): string {
  return valueOf(inject("temporalCli"), "No Temporal CLI");
}

/** Path of the bundled workflow code (`workflows/index.ts`). */
export function workflowBundle(): string {
  return valueOf(inject("workflowBundle"), "No workflow bundle");
}

export async function temporalClient(options: Omit<ClientOptions, "connection"> = {}): Promise<Client> {
  const connection = await Connection.connect({ address: temporalAddress() });
  return new Client({ ...options, connection });
}

export interface RunningWorker {
  worker: Worker;
  taskQueue: string;
  /** Shuts the worker down and waits for its end; fails when the worker failed. */
  stop(): Promise<void>;
}

export type TestWorkerOptions = Partial<Omit<WorkerOptions, "connection" | "workflowBundle" | "workflowsPath">> & {
  /** Other workflow code than the product's: a path to bundle. null: a worker of activities only. */
  workflowsPath?: string | null;
  /** The same, bundled already. */
  bundle?: NonNullable<WorkerOptions["workflowBundle"]>;
  /** Of another server than the one of all tests. */
  address?: string;
  /** Steps in sandboxes find a place only after this. */
  sandboxesAfterMs?: number;
};

/** Runs a worker with the product's workflows; its task queue is a fresh one unless named. */
export async function runWorker(options: TestWorkerOptions = {}): Promise<RunningWorker> {
  quietRuntime();
  const {
    workflowsPath,
    taskQueue = `test-${randomUUID()}`,
    address = temporalAddress(),
    sandboxesAfterMs = 0,
    bundle,
    ...rest
  } = options;
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    ...rest,
    ...(bundle
      ? { workflowBundle: bundle }
      : await workflowCode(workflowsPath, rest.dataConverter?.failureConverterPath)),
    taskQueue,
    connection,
  });
  const { activities } = rest;
  // Steps in sandboxes have a queue of their own, see `workers/queues.ts`.
  const sandboxes = await Worker.create({
    taskQueue: sandboxQueue(taskQueue),
    connection,
    ...(rest.dataConverter ? { dataConverter: rest.dataConverter } : {}),
    activities: activities ?? { unused: () => undefined },
  });
  const later = sandboxesAfterMs > 0 ? setTimeout(sandboxesAfterMs) : Promise.resolve();
  const running = Promise.all([worker.run(), later.then(() => sandboxes.run())]);
  // Reported by stop(); without a handler now, a failure before it would end the test process.
  running.catch(() => undefined);
  return {
    worker,
    taskQueue,
    stop: async () => {
      for (const each of [worker, sandboxes]) if (each.getState() === "RUNNING") each.shutdown();
      try {
        await running;
      } finally {
        await connection.close();
      }
    },
  };
}

async function workflowCode(
  workflowsPath: string | null | undefined,
  failureConverterPath: string | undefined,
): Promise<Pick<WorkerOptions, "workflowBundle">> {
  if (workflowsPath === null) return {};
  if (workflowsPath === undefined) return { workflowBundle: { codePath: workflowBundle() } };
  return {
    workflowBundle: await bundleWorkflowCode({
      workflowsPath,
      logger: silent,
      ...(failureConverterPath === undefined ? {} : { failureConverterPath }),
    }),
  };
}

const silent = { log: () => {}, trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let installed = false;

/** Expected failures are part of many tests: the SDK's log of them would bury a real one. TEMPORAL_TEST_LOG=1 shows it. */
export function quietRuntime(): void {
  if (installed) return;
  installed = true;
  if (!process.env["TEMPORAL_TEST_LOG"]) Runtime.install({ logger: silent });
}

function valueOf<T>(provided: Provided<T>, what: string): T {
  if ("value" in provided) return provided.value;
  throw new Error(`${what} for the tests. ${provided.missing}`);
}
