import { randomUUID } from "node:crypto";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Client } from "@temporalio/client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { createLog } from "../../workers/log.ts";
import { troubledSchedules } from "../../workers/schedule-health.ts";
import { TASK_QUEUE } from "../../workflows/messages.ts";
import { ensureSchedules, scheduleId, type UpkeepKind } from "../../workers/schedules.ts";
import { scheduleProblem } from "../../domain/upkeep.ts";
import { runWorker, temporalClient } from "../support/temporal.ts";

let client: Client;
beforeAll(async () => {
  client = await temporalClient();
});
afterAll(() => client.connection.close());

const config = loadConfig({ env: {}, cwd: "/nowhere" });
const said: string[] = [];
const log = createLog({
  level: "info",
  pretty: false,
  output: new Writable({ write: (line: Buffer, _, done) => (said.push(line.toString()), done()) }),
});
/** A kind that no worker of these tests serves. */
const kindOf = (minutes: number, workflow = `kind-${randomUUID()}`): UpkeepKind => ({
  workflow,
  summary: "does nothing",
  everyMinutes: () => minutes,
});
const described = (kind: UpkeepKind) => client.schedule.getHandle(scheduleId(kind)).describe();

it("several workers that start at once make one schedule, which begins at once and never twice at a time", async () => {
  const kind = kindOf(10);
  await Promise.all([1, 2, 3, 4].map(() => ensureSchedules(client, config, log, [kind])));
  const { spec, policies, info, state } = await described(kind);
  expect(spec.intervals).toMatchObject([{ every: 600_000 }]);
  expect(policies).toMatchObject({ overlap: "SKIP", catchupWindow: 60_000 });
  expect(state).toMatchObject({ paused: false });
  expect(info.numActionsTaken + info.runningActions.length).toBeGreaterThan(0);
  expect(info.runningActions.length).toBeLessThanOrEqual(1);
  await client.schedule.getHandle(scheduleId(kind)).delete();
});

it("a setting that changed changes the schedule, a pause stays, and 0 removes it", async () => {
  const kind = kindOf(10);
  await ensureSchedules(client, config, log, [kind]);
  await client.schedule.getHandle(scheduleId(kind)).pause("for now");
  const before = (await described(kind)).info.numActionsTaken;
  await ensureSchedules(client, config, log, [{ ...kind, everyMinutes: () => 30 }]);
  const changed = await described(kind);
  expect(changed.spec.intervals).toMatchObject([{ every: 1_800_000 }]);
  expect(changed.state).toMatchObject({ paused: true, note: "for now" });
  expect(changed.info.numActionsTaken).toBe(before);
  const never = { ...kind, everyMinutes: () => 0 };
  await ensureSchedules(client, config, log, [never]);
  await expect(described(kind)).rejects.toThrow();
  await ensureSchedules(client, config, log, [never]);
});

it("a server without Schedules is told in the log, and stops nothing", async () => {
  said.length = 0;
  const refusing = {
    schedule: { getHandle: () => ({}), create: () => Promise.reject(new Error("no Schedules here")) },
  };
  await ensureSchedules(refusing as unknown as Client, config, log, [kindOf(10)]);
  expect(said.join("")).toContain("no Schedules here");
});

it("a schedule that is missing, paused or failing is told; one that does its work is not", async () => {
  const [good, bad, never] = [kindOf(10, "goodUpkeep"), kindOf(10, "badUpkeep"), kindOf(0)];
  const partial = kindOf(10, "partialUpkeep");
  const troubled = (...kinds: UpkeepKind[]) => troubledSchedules(client, config, kinds);
  expect(await troubled(good, never)).toEqual([expect.stringContaining("upkeep/goodUpkeep is missing")]);
  const worker = await runWorker({
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(new URL("stand-in/workflows.ts", import.meta.url)),
    activities: { unused: () => undefined },
  });
  try {
    await ensureSchedules(client, config, log, [good, partial, bad]);
    await expect
      .poll(() => troubled(good, partial, bad), { timeout: 20_000 })
      .toEqual([
        expect.stringMatching(/^upkeep\/partialUpkeep fails in part: .* the credentials of mallory \(.* \(401\)\.\)$/),
        expect.stringMatching(/^upkeep\/badUpkeep fails: upkeep\/badUpkeep-\S+ ended as FAILED$/),
      ]);
    await client.schedule.getHandle(scheduleId(good)).pause("for now");
    expect(await troubled(good)).toEqual(["upkeep/goodUpkeep is paused"]);
  } finally {
    for (const kind of [good, partial, bad]) await client.schedule.getHandle(scheduleId(kind)).delete();
    await worker.stop();
  }
}, 60_000);

const NOW = new Date("2026-11-21T12:00:00Z");
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);
const runs = { paused: false, madeAt: minutesAgo(9_000), lastStartedAt: minutesAgo(5), lastEnded: null };
const endedAs = (status: string) => ({ workflowId: "upkeep/x-1", status });
it.each([
  ["runs", { ...runs, lastEnded: endedAs("COMPLETED") }, null],
  ["was never ended, and is at work", runs, null],
  ["was just made", { ...runs, madeAt: minutesAgo(1), lastStartedAt: null }, null],
  ["is paused, whatever it did", { ...runs, paused: true, lastEnded: endedAs("FAILED") }, "is paused"],
  ["failed the last time", { ...runs, lastEnded: endedAs("FAILED") }, "fails: upkeep/x-1 ended as FAILED"],
  ["was cut off", { ...runs, lastEnded: endedAs("TIMED_OUT") }, "fails: upkeep/x-1 ended as TIMED_OUT"],
  [
    "did a part of its work",
    {
      ...runs,
      lastEnded: {
        ...endedAs("COMPLETED"),
        failed: [
          { account: "mallory/any", reason: "401", since: "" },
          { account: "any/any", reason: "away", since: "" },
        ],
      },
    },
    "fails in part: what was missed could not be looked for with the credentials of mallory (401), our own credentials (away)",
  ],
  ["was cancelled by somebody", { ...runs, lastEnded: endedAs("CANCELLED") }, null],
  ["missed one", { ...runs, lastStartedAt: minutesAgo(25) }, null],
  [
    "has started nothing for long",
    { ...runs, lastStartedAt: minutesAgo(31) },
    "is late: it started nothing since 2026-11-21T11:29:00.000Z",
  ],
])("a schedule of every ten minutes that %s is judged so", (_, facts, problem) => {
  expect(scheduleProblem(facts, 600_000, NOW)).toBe(problem);
});
