/** `mergewright replay [ID]`: whether runs under way fit the workflow code of this version, before it is let loose on them. */
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { loadConfig } from "../config/load.ts";
import { openRuns, type Replayed, replayRuns } from "../workers/replay.ts";
import { runIdOf, withClient } from "./client.ts";
import { command, jsonOption } from "./command.ts";
import { CommandFailed, DONE, FAILED } from "./errors.ts";
import { runArgument } from "./message.ts";
import { plain, type Terminal } from "./terminal.ts";

export default command({
  args: {
    id: { ...runArgument, required: false, description: `${runArgument.description}; by default all that are open` },
    json: jsonOption,
  },
  async run(args, terminal) {
    const id = args.id === undefined ? null : runIdOf(args.id, "replay");
    const config = loadConfig({ env: terminal.env, cwd: terminal.cwd });
    return withClient(config, async (client) => {
      const ids = id === null ? await openRuns(client) : [await knownRun(client, id)];
      const workflows: Replayed[] = [];
      for await (const replayed of replayRuns(client, config, ids)) {
        workflows.push(replayed);
        if (!args.json) show(replayed, terminal);
      }
      const fits = workflows.every((workflow) => workflow.fits === true);
      if (args.json) terminal.document({ id, fits, workflows });
      else terminal.out(workflows.length === 0 ? "No run is open." : fits ? FITS : DOES_NOT);
      return fits ? DONE : FAILED;
    });
  },
});

async function knownRun(client: Client, id: string): Promise<string> {
  try {
    await client.workflow.getHandle(id).describe();
    return id;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new CommandFailed("not-found", `There is no run ${id}. \`mergewright status\` lists those that there are.`);
  }
}

const FITS = "They go on with this version.";
const DOES_NOT =
  "Under this version those that do not fit would wait, without losing anything. Let them end under the one that they run with, or reject them and start them anew.";

function show({ workflowId, fits, reason }: Replayed, terminal: Terminal): void {
  const word = fits === true ? "fits" : fits === false ? "does not fit" : "could not be replayed";
  const mark = terminal.style(fits === true ? "green" : "red", word);
  terminal.out(`${plain(workflowId)}: ${mark}${reason === null ? "" : `: ${plain(reason)}`}`);
}
