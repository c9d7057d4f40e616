/** `mergewright approve ID`: the plan where the run waits for that, otherwise the merge of one head commit. */
import { command } from "./command.ts";
import { messageArguments, say } from "./message.ts";
import { UsageError } from "./errors.ts";

export default command({
  args: {
    ...messageArguments,
    sha: {
      type: "string",
      valueHint: "COMMIT",
      description: "The head commit that you have read; by default the present one",
    },
  },
  run(args, terminal) {
    const { sha } = args;
    if (sha !== undefined && !/^[0-9a-f]{40}$/i.test(sha)) {
      throw new UsageError(`--sha "${sha.slice(0, 60)}" is not a full commit id. Write its 40 digits.`, "approve");
    }
    return say(terminal, "approve", args, async (runs, id, by) => {
      const run = sha === undefined ? await runs.getRun(id) : null;
      if (run?.phase === "awaiting-plan-approval") {
        return { result: await runs.send(id, "approvePlan", { by }), done: `${id}: the plan is approved by ${by}.` };
      }
      const payload = sha === undefined ? { by } : { by, sha: sha.toLowerCase() };
      return { result: await runs.send(id, "approveMerge", payload), done: `${id}: the merge is approved by ${by}.` };
    });
  },
});
