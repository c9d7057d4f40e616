/** `mergewright reject ID`: the pull request is closed, and says why. */
import { command } from "./command.ts";
import { messageArguments, say } from "./message.ts";

export default command({
  args: {
    ...messageArguments,
    reason: { type: "string", valueHint: "TEXT", description: "Why; it stands in the pull request" },
  },
  run: (args, terminal) =>
    say(terminal, "reject", args, async (runs, id, by) => ({
      result: await runs.send(id, "reject", { by, reason: args.reason ?? `Rejected by ${by} from the command line.` }),
      done: `${id} is rejected by ${by}.`,
    })),
});
