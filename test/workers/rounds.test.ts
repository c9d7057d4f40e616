import { Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { createLog } from "../../workers/log.ts";
import { startRounds } from "../../workers/rounds.ts";

const log = createLog({
  level: "fatal",
  pretty: false,
  output: new Writable({ write: (_line, _encoding, done) => done() }),
});

it.each([
  ["once when there is to be one", 0, 1, 1],
  ["once in a moment when there is to be one in two months", 60 * 24 * 60 * 60_000, 1, 1],
  ["again and again when there is to be one every 10 ms", 10, 2, 40],
])("rounds are made %s", async (_, everyMs, atLeast, atMost) => {
  let rounds = 0;
  const stop = startRounds({ work: async () => void (rounds += 1), everyMs, log, failed: "failed" });
  await setTimeout(300);
  stop();
  expect(rounds).toBeGreaterThanOrEqual(atLeast);
  expect(rounds).toBeLessThanOrEqual(atMost);
});
