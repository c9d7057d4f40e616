/** `mergewright run --repo O/R --issue N`: starts a run, or finds the one that is under way. */
import type { RunView, Runs } from "../api/runs.ts";
import { loadConfig } from "../config/load.ts";
import { MergewrightError } from "../domain/errors.ts";
import { isRepositoryName } from "../domain/ids.ts";
import { withRuns } from "./client.ts";
import { command, jsonOption } from "./command.ts";
import { CommandFailed, DONE, FAILED, UsageError } from "./errors.ts";
import { showRun } from "./show.ts";
import { plain, type Terminal } from "./terminal.ts";

const POLL_MS = 1_000;
/** A server that is started again answers within this; longer silence ends the waiting, not the run. */
const PATIENCE_MS = 120_000;

export default command({
  args: {
    repo: { type: "string", valueHint: "OWNER/REPO", description: "The repository", required: true },
    issue: { type: "string", valueHint: "NUMBER", description: "The issue's number", required: true },
    wait: { type: "boolean", description: "Wait until it has ended; exit code 0 only when it was merged" },
    json: jsonOption,
  },
  async run(args, terminal) {
    if (!isRepositoryName(args.repo))
      throw new UsageError(`--repo "${args.repo.slice(0, 80)}" is not a repository. Write OWNER/REPO.`, "run");
    if (!/^[1-9]\d{0,9}$/.test(args.issue))
      throw new UsageError(`--issue "${args.issue.slice(0, 40)}" is not an issue's number.`, "run");
    const config = loadConfig({ env: terminal.env, cwd: terminal.cwd });
    return withRuns(config, async (runs) => {
      const started = await runs.startRun({
        repository: args.repo,
        issue: Number(args.issue),
        by: null,
        kind: "command-line",
      });
      if (started.kind === "refused") throw new CommandFailed("refused", `${started.id}: ${started.reason}`);
      if (args.wait) return waitFor(runs, started.id, terminal);
      if (args.json) terminal.document({ id: started.id, kind: started.kind });
      else {
        terminal.out(started.kind === "started" ? `${started.id} is started.` : `${started.id} is under way already.`);
        terminal.out(`Follow it with \`mergewright status ${args.repo}#${args.issue}\`.`);
      }
      return DONE;
    });
  },
});

async function waitFor(runs: Runs, id: string, terminal: Terminal): Promise<number> {
  let told = "";
  let lastAnswer = Date.now();
  for (;;) {
    let run: RunView | null = null;
    try {
      run = await runs.getRun(id);
      lastAnswer = Date.now();
    } catch (error) {
      if (!(error instanceof MergewrightError) || Date.now() - lastAnswer > PATIENCE_MS) throw error;
    }
    if (run) {
      const now = run.phase + (run.waitingFor ? `, waits for ${run.waitingFor.kind}` : "");
      if (now !== told) terminal.err(`${new Date().toISOString().slice(11, 19)}  ${plain(now)}`);
      told = now;
      const over = run.execution.state !== "running";
      if (over) {
        if (terminal.json) terminal.document(run);
        else showRun(run, terminal);
        return run.outcome?.kind === "merged" ? DONE : FAILED;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
