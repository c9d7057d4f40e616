import type { NativeConnection, Worker } from "@temporalio/worker";
import { expect, it } from "vitest";
import { untilStopped } from "../../workers/queues.ts";

it("a worker that fails ends, with the others, also where its own promise stays open", async () => {
  let closed = false;
  const connection = { close: async () => void (closed = true) } as unknown as NativeConnection;
  // As Temporal's SDK does it when the namespace is deleted, or the key taken back, under a worker.
  const failed = { run: () => new Promise(() => undefined), getState: () => "FAILED" } as unknown as Worker;
  const other = playedWorker();
  await expect(untilStopped([failed, other], connection)).rejects.toThrow(/does not let this worker go on/);
  expect(other.getState()).toBe("STOPPED");
  expect(closed).toBe(false);
});

it("workers that are told to stop give their connection back", async () => {
  let closed = false;
  const connection = { close: async () => void (closed = true) } as unknown as NativeConnection;
  const [one, other] = [playedWorker(), playedWorker()];
  const stopped = untilStopped([one, other], connection);
  one.shutdown();
  await stopped;
  expect([other.getState(), closed]).toEqual(["STOPPED", true]);
});

function playedWorker(): Worker {
  let state = "RUNNING";
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return {
    run: () => ended,
    getState: () => state,
    shutdown: () => {
      state = "STOPPED";
      end();
    },
  } as unknown as Worker;
}
