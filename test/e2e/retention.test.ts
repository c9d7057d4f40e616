/** Retention on the real thing with a time of seconds: an ended run's folder goes, an open one's stays and is used. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Stage } from "../../demo/stage.ts";
import { shortStory } from "./short-scenario.ts";
import { ended, onStage, reaches, surroundings, until } from "./support.ts";

const TITLES = ['Shows "60s" where a minute is meant', "Shows 60 seconds, not a minute"];
const KEPT_MS = 8_640;
const { env } = surroundings("local");

it("what an ended run has stored is removed after the time that is set; one that waits far longer is then merged", async () => {
  const settings = "retention: { artifacts_days: 0.0001 }\n";
  await onStage({ env, settings, scenarios: TITLES.map((title) => shortStory({ title })) }, async (stage) => {
    const waiting = await labelledIssue(stage, TITLES[0]!);
    await reaches(stage, waiting, "awaiting-approval", (run) => run.phase === "awaiting-approval");
    const [waits] = runs(stage);
    const quiet = sleep(2 * KEPT_MS);

    const other = await labelledIssue(stage, TITLES[1]!);
    await reaches(stage, other, "awaiting-approval", (run) => run.phase === "awaiting-approval");
    const ends = runs(stage).find((key) => key !== waits)!;
    await stage.github.people.as(stage.maintainer).comment(stage.repository, other, "/mergewright reject not now");
    expect((await ended(stage, other)).outcome?.kind).toBe("declined");
    await until("the ended run's folder is gone", async () => !runs(stage).includes(ends), 60_000);

    await quiet;
    expect(runs(stage)).toEqual([waits]);
    await stage.github.people.as(stage.maintainer).comment(stage.repository, waiting, "/mergewright approve");
    expect((await ended(stage, waiting)).outcome?.kind).toBe("merged");
    await until("nothing is stored any more", async () => runs(stage).length === 0, 60_000);
  });
}, 300_000);

function runs(stage: Stage): string[] {
  const folder = join(stage.home, "artifacts", "runs");
  return existsSync(folder) ? readdirSync(folder) : [];
}

async function labelledIssue(stage: Stage, title: string): Promise<number> {
  const { people } = stage.github;
  const { number } = await people.as(stage.author).openIssue(stage.repository, { title, body: "59.7 s." });
  await people.as(stage.maintainer).label(stage.repository, number, "mergewright");
  await people.idle();
  return number;
}
