import { randomUUID } from "node:crypto";
import { Writable } from "node:stream";
import type { Client } from "@temporalio/client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { createLog } from "../../workers/log.ts";
import { ensureSchedules, scheduleId, type UpkeepKind } from "../../workers/schedules.ts";
import { temporalClient } from "../support/temporal.ts";

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
