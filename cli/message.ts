/** The commands that say something to a run. Each is a message of the workflow; who may is decided there. */
import type { Runs, SendResult } from "../api/runs.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { runIdOf, withRuns } from "./client.ts";
import { jsonOption } from "./command.ts";
import { CommandFailed, DONE } from "./errors.ts";
import { checkLogin, loginFor } from "./login.ts";
import type { Terminal } from "./terminal.ts";

export const runArgument = {
  type: "positional",
  required: true,
  description: "OWNER/REPO#NUMBER, or a workflow id",
} as const;
export const byOption = {
  type: "string",
  valueHint: "LOGIN",
  description: "Your GitHub login; by default the one of GITHUB_TOKEN",
} as const;

/** What every such command takes. */
export const messageArguments = { id: runArgument, by: byOption, json: jsonOption } as const;

/** `done` says in a sentence what has happened. */
export async function say(
  terminal: Terminal,
  command: string,
  args: { id: string; by?: string | undefined; json?: boolean | undefined },
  send: (runs: Runs, id: string, by: string) => Promise<{ result: SendResult; done: string }>,
): Promise<number> {
  const id = runIdOf(args.id, command);
  checkLogin(args.by, command);
  const config: Config = loadConfig({ env: terminal.env, cwd: terminal.cwd });
  return withRuns(config, async (runs) => {
    const by = await loginFor(config, id, args.by, command);
    const { result, done } = await send(runs, id, by);
    refuse(id, result);
    if (args.json) terminal.document({ id, by, accepted: true });
    else terminal.out(done);
    return DONE;
  });
}

/** Throws CommandFailed with why the message had no effect. */
export function refuse(id: string, result: SendResult | { kind: "requested" }): void {
  switch (result.kind) {
    case "accepted":
    case "requested":
      return;
    case "not-found":
      throw new CommandFailed("not-found", `There is no run ${id}. \`mergewright status\` lists those that there are.`);
    case "refused":
      throw new CommandFailed("refused", `${id} refused: ${result.reason}`);
    case "ended":
    case "no-answer":
      throw new CommandFailed(result.kind, `${id}: ${result.reason}`);
  }
}
