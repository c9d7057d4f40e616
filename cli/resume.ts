/** `mergewright resume ID`. */
import { command } from "./command.ts";
import { messageArguments, say } from "./message.ts";

export default command({
  args: messageArguments,
  run: (args, terminal) =>
    say(terminal, "resume", args, async (runs, id, by) => ({
      result: await runs.send(id, "resume", { by }),
      done: `${id} goes on.`,
    })),
});
