/** `mergewright status [ID]`: all runs in a table, or one in full. */
import { loadConfig } from "../config/load.ts";
import { runIdOf, withRuns } from "./client.ts";
import { command, jsonOption } from "./command.ts";
import { DONE } from "./errors.ts";
import { refuse, runArgument } from "./message.ts";
import { showRun, showRuns } from "./show.ts";

export default command({
  args: { id: { ...runArgument, required: false }, json: jsonOption },
  async run(args, terminal) {
    const id = args.id === undefined ? null : runIdOf(args.id, "status");
    const config = loadConfig({ env: terminal.env, cwd: terminal.cwd });
    return withRuns(config, async (runs) => {
      if (id === null) {
        const all = await runs.listRuns();
        if (args.json) terminal.document(all);
        else showRuns(all, terminal);
        return DONE;
      }
      const run = await runs.getRun(id);
      if (run === null) refuse(id, { kind: "not-found" });
      else if (args.json) terminal.document(run);
      else showRun(run, terminal);
      return DONE;
    });
  },
});
