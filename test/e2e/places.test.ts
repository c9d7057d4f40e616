/** A worker with one place and two runs: each has it while it works, and never both. About 90 s alone. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bash } from "../../demo/model/scenario.ts";
import type { Stage } from "../../demo/stage.ts";
import { shortStory } from "./short-scenario.ts";
import { ended, onStage, reaches, signal, surroundings } from "./support.ts";

const FIRST = "Comes back";
const SECOND = "Has the place meanwhile";
/** Longer than the first needs to come back. */
const WORKS_S = 20;
const RUN_KEY = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

it("a run that comes back to a full worker stands in line, and no more sandboxes are open than there are places", async () => {
  const { env, containers, sandbox } = surroundings();
  const works = { text: "This takes a while.", uses: [bash(`sleep ${WORKS_S}`)] };
  const scenarios = [shortStory({ title: FIRST }), shortStory({ title: SECOND, before: [works] })];
  await onStage({ env: { ...env, MERGEWRIGHT_RUNS_AT_ONCE: "1" }, scenarios }, async (stage) => {
    const { maintainer } = stage;
    const open = async (): Promise<string[]> =>
      sandbox === "docker" ? containers() : readdirSync(join(stage.home, "sandboxes"));
    const watch = watchRuns(open);

    const first = await start(stage, FIRST);
    const before = await asks(stage, first);
    const second = await start(stage, SECOND);
    // It gets the place of the first, which does not use it while it waits for its approval.
    await reaches(stage, second, "work", ({ agents }) =>
      agents.some(({ role, turns }) => role === "coder" && turns > 0),
    );
    await signal(stage, first, "requestChanges", { by: maintainer, text: "Tell of it." });
    await reaches(stage, first, "work", ({ phase }) => phase === "working");

    await asks(stage, second);
    const after = await asks(stage, first, before);
    const most = await watch.stop();
    expect(most).toBe(1);
    // Both change the same lines.
    await signal(stage, second, "reject", { by: maintainer, reason: "one is enough" });
    expect((await ended(stage, second)).outcome?.kind).toBe("declined");
    await signal(stage, first, "approveMerge", { by: maintainer, sha: after });
    expect((await ended(stage, first)).outcome?.kind).toBe("merged");
    expect(stage.model!.ledger.read().totals).toMatchObject({ paidTwice: 0 });
  });
}, 400_000);

async function start(stage: Stage, title: string): Promise<number> {
  const { people } = stage.github;
  const { number } = await people.as(stage.author).openIssue(stage.repository, { title, body: "59.7 s." });
  await people.as(stage.maintainer).label(stage.repository, number, "mergewright");
  return number;
}

/** The head that is to be approved. */
async function asks(stage: Stage, issue: number, not?: string): Promise<string> {
  const run = await reaches(
    stage,
    issue,
    "its question",
    ({ waitingFor, pullRequest }) => waitingFor?.kind === "approval" && pullRequest?.headSha !== not,
    180_000,
  );
  return run.pullRequest!.headSha;
}

/** Looks again and again whose sandboxes are open; `stop` tells of how many runs at one time there were some. */
function watchRuns(open: () => Promise<string[]>): { stop(): Promise<number> } {
  let most = 0;
  let over = false;
  const watching = (async () => {
    while (!over) {
      const runs = new Set((await open()).flatMap((name) => RUN_KEY.exec(name)?.[0] ?? []));
      most = Math.max(most, runs.size);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return most;
  })();
  watching.catch(() => undefined);
  return {
    stop: () => {
      over = true;
      return watching;
    },
  };
}
