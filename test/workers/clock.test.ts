import { expect, it } from "vitest";
import { Clock } from "../../workers/clock.ts";

it("A clock that is wrong is told in the log once, and once more when it is right again", () => {
  const said: string[] = [];
  const note = (_: object, message: string): void => void said.push(message);
  const log = { warn: note, info: note } as unknown as Parameters<Clock["compared"]>[1];
  const clock = new Clock();
  for (const skewMs of [-400, -600_000, -600_100]) clock.compared(skewMs, log);
  expect(clock.wrong).toContain("ahead of GitHub's");
  expect(said).toEqual([expect.stringContaining("ahead of GitHub's")]);
  for (const skewMs of [-500, 200]) clock.compared(skewMs, log);
  expect(clock.wrong).toBeNull();
  expect(said.slice(1)).toEqual(["the clock agrees with GitHub's again"]);
});
