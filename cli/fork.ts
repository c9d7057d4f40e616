/** `mergewright fork ID --turn N`: a new run goes on from an earlier turn of another, beside it. */
import { isForkRole } from "../api/forks.ts";
import { loadConfig } from "../config/load.ts";
import { branchOfRun, parseIssueWorkflowId } from "../domain/ids.ts";
import { FORK_ROLES } from "../workflows/messages.ts";
import { runIdOf, withRuns } from "./client.ts";
import { command, jsonOption } from "./command.ts";
import { CommandFailed, DONE, UsageError } from "./errors.ts";
import { checkLogin, loginFor } from "./login.ts";
import { byOption, runArgument } from "./message.ts";

export default command({
  args: {
    id: runArgument,
    turn: {
      type: "string",
      valueHint: "N",
      description: "The last turn to keep, as `status` counts them: from 1",
      required: true,
    },
    role: {
      type: "string",
      valueHint: "ROLE",
      description: `Whose turn: ${FORK_ROLES.join(" or ")}; by default the coder's`,
    },
    instruct: { type: "string", valueHint: "TEXT", description: "What the agent is told on top when it goes on" },
    replace: {
      type: "boolean",
      description: "End the other run, and close its pull request, once the fork has one",
    },
    by: byOption,
    json: jsonOption,
  },
  async run(args, terminal) {
    const id = runIdOf(args.id, "fork");
    if (!/^[1-9]\d{0,5}$/.test(args.turn))
      throw new UsageError(`--turn "${args.turn.slice(0, 40)}" is not the number of a turn, from 1.`, "fork");
    const role = args.role ?? "coder";
    if (!isForkRole(role))
      throw new UsageError(
        `--role "${role.slice(0, 40)}" cannot be gone on from. Name one of: ${FORK_ROLES.join(", ")}.`,
        "fork",
      );
    checkLogin(args.by, "fork");
    const instruct = args.instruct?.trim() || null;
    const config = loadConfig({ env: terminal.env, cwd: terminal.cwd });
    return withRuns(config, async (runs) => {
      const replace = args.replace ?? false;
      // Only who ends another run must be known.
      const by = replace || args.by !== undefined ? await loginFor(config, id, args.by, "fork") : null;
      const turn = Number(args.turn);
      const result = await runs.fork({ id, role, turn, instruct, by, replace, kind: "command-line" });
      switch (result.kind) {
        case "not-found":
          throw new CommandFailed(
            "not-found",
            `There is no run ${id}. \`mergewright status\` lists those that there are.`,
          );
        case "refused":
        case "no-answer":
          throw new CommandFailed(result.kind, result.reason);
        case "forked": {
          const branch = branchOfRun({ id: result.id, issue: parseIssueWorkflowId(result.id)!.issue });
          if (args.json) terminal.document({ id: result.id, of: id, role, turn, branch });
          else {
            terminal.out(`${result.id} goes on from turn ${turn} of the ${role} of ${id}, on branch ${branch}.`);
            terminal.out(`Follow it with \`mergewright status ${result.id}\`.`);
          }
          return DONE;
        }
      }
    });
  },
});
