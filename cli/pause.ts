/** `mergewright pause ID`. */
import { command } from "./command.ts";
import { messageArguments, say } from "./message.ts";

export default command({
  args: messageArguments,
  run: (args, terminal) =>
    say(terminal, "pause", args, async (runs, id, by) => ({
      result: await runs.send(id, "pause", { by }),
      done: `${id} pauses.`,
    })),
});
