/**
 * Records the histories that `test/workflows/replay.test.ts` replays: plays a story of each kind, and keeps what Temporal wrote down of
 * it. To be run when a change of the workflow code is meant to break them: `npm run histories:record`. Takes two minutes.
 */
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeStage, setStage, type Stage } from "../demo/stage.ts";
import { startTemporalServer } from "../test/support/temporal-server.ts";
import { scrubbed } from "./histories/scrub.ts";
import { type Keep, played, playAll, playContinued, REPOSITORY } from "./histories/stories.ts";
import { historyOf } from "./histories/temporal.ts";

/** So few that the short stories get there. */
const EARLY = "limit.historyCount.suggestContinueAsNew=100";

/** The played Claude knows a story by its title: no other may stand beside it as one that is alike. */
const APART = "memory: { similarity_threshold: 1 }\n";

const folder = fileURLToPath(new URL("../test/histories/", import.meta.url));
const recorded = new Map<string, string>();

await onStage({}, APART, playAll);
const server = await startTemporalServer([EARLY]);
try {
  await onStage({ TEMPORAL_ADDRESS: server.address }, `${APART}require_plan_approval: true\n`, playContinued);
} finally {
  await server.stop();
}
await mkdir(folder, { recursive: true });
for (const name of await readdir(folder)) if (name.endsWith(".json")) await rm(join(folder, name));
for (const [name, text] of recorded) await writeFile(join(folder, `${name}.json`), text);

async function onStage(
  env: Record<string, string>,
  settings: string,
  play: (stage: Stage, keep: Keep) => Promise<void>,
): Promise<void> {
  const cli = process.env["TEMPORAL_CLI"];
  const stage = await setStage({
    repositoryName: REPOSITORY,
    live: null,
    settings,
    scenarios: played,
    // A history does not tell in what its commands ran.
    env: { EXECUTION_MODE: "local", ...(cli ? { TEMPORAL_CLI: cli } : {}), ...env },
  });
  let done = false;
  try {
    await play(stage, async (name, workflowId, runId) => {
      const history = scrubbed(await historyOf(stage.temporal.address, workflowId, runId), stage.folder);
      // One event on each line: a history is read by people, too, when it does not replay.
      const lines = history.events.map((event) => JSON.stringify(event)).join(",\n");
      recorded.set(name, `{"events":[\n${lines}\n]}\n`);
      process.stdout.write(`${name}: ${workflowId}, ${history.events.length} events\n`);
    });
    done = true;
  } finally {
    await stage.close();
    // The folder of one that failed stays: the log in it tells more.
    if (done) await removeStage(stage);
  }
}
