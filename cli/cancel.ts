/** `mergewright cancel ID`: Temporal's own cancellation, by whoever may reach the server. */
import { loadConfig } from "../config/load.ts";
import { runIdOf, withRuns } from "./client.ts";
import { command } from "./command.ts";
import { DONE } from "./errors.ts";
import { checkLogin } from "./login.ts";
import { messageArguments, refuse } from "./message.ts";

export default command({
  args: {
    ...messageArguments,
    by: { ...messageArguments.by, description: "Taken, and not needed: a cancellation carries no name" },
  },
  async run(args, terminal) {
    const id = runIdOf(args.id, "cancel");
    checkLogin(args.by, "cancel");
    const config = loadConfig({ env: terminal.env, cwd: terminal.cwd });
    return withRuns(config, async (runs) => {
      refuse(id, await runs.cancel(id));
      if (args.json) terminal.document({ id, accepted: true });
      else terminal.out(`${id} is being cancelled.`);
      return DONE;
    });
  },
});
