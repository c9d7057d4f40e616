/** The tool `bash`: a command in the sandbox, under the journal. */
import { z } from "zod";
import type { CommandResult } from "../../domain/ports.ts";
import { bytesToKeep, readableOutput } from "./output.ts";
import { isReadingScript } from "./reading.ts";
import { changed, done, failed, type ToolContext, type ToolResult, wrongArguments } from "./result.ts";

const Input = z.union([z.object({ command: z.string().min(1) }), z.object({ restart: z.literal(true) })]);

export async function runBash(input: unknown, context: ToolContext): Promise<ToolResult> {
  const parsed = Input.safeParse(input);
  if (!parsed.success) return wrongArguments("bash", parsed.error, '{"command": "..."} or {"restart": true}');
  // Claude sometimes sends both; a restart alone would lose the command.
  if ("command" in parsed.data) return runCommand(parsed.data.command, context);
  return restart(context);
}

async function runCommand(script: string, context: ToolContext): Promise<ToolResult> {
  if (script.includes("\0")) return failed("A command cannot hold a NUL character. Nothing was done.");
  const { limits } = context;
  const result = await context.sandbox.run(
    {
      key: context.key,
      script,
      timeoutMs: limits.command_seconds * 1000,
      keepBytes: bytesToKeep(limits.output_characters),
      session: context.session,
    },
    context.signal,
  );
  return { ...describe(result, limits), mayHaveChanged: !isReadingScript(script) };
}

function describe(result: CommandResult, limits: ToolContext["limits"]): { text: string; isError: boolean } {
  const output = readableOutput(result.output, limits.output_characters).replace(/\n+$/, "");
  const text = (note: string): string => (output === "" ? note : `${output}\n${note}`);
  switch (result.kind) {
    case "exited":
      if (result.exitCode === 0) return { text: output === "" ? "[exit code 0, no output]" : output, isError: false };
      return { text: text(`[exit code ${result.exitCode}${HINTS[result.exitCode] ?? ""}]`), isError: false };
    case "timed-out":
      return {
        text: text(
          `[stopped after ${limits.command_seconds} s with everything it had started: the time limit of one command. Run less at once, narrow it down, or give the program its own shorter limit; do not wait for input, and stop servers in the command that starts them.]`,
        ),
        isError: true,
      };
    case "unknown":
      return {
        text: text(
          "[outcome unknown: the sandbox lost this command. Check whether it took effect before you run it again.]",
        ),
        isError: true,
      };
  }
}

const HINTS: Readonly<Record<number, string>> = {
  126: ": not executable",
  127: ": command not found",
  137: ": killed, probably out of memory",
  143: ": terminated",
};

/** Exported in a fresh session; anything else in this one goes. Names of the sandbox's own begin with an underscore or MW. */
const OWN_NAMES = "_*|MW_*|MERGEWRIGHT_*|BASH*|PWD|OLDPWD|SHLVL";

/** Back to where a session starts: its directory, and the environment that a command without a session has. */
async function restart(context: ToolContext): Promise<ToolResult> {
  const { sandbox, signal } = context;
  const common = { timeoutMs: 30_000, keepBytes: 64_000 };
  const fresh = await sandbox.run({ ...common, key: `${context.key}-fresh`, script: "export -p" }, signal);
  if (fresh.kind !== "exited" || fresh.exitCode !== 0)
    return failed("The shell could not be restarted. Go on with the next command, beginning with cd.");
  const exported = Buffer.concat([fresh.output.head, fresh.output.tail]).toString("utf8");
  const settings = exported
    .split(/\n(?=declare )/)
    .filter(
      (line) =>
        !/^declare -\w+ (?:_|MW_|MERGEWRIGHT_|BASH|PWD\b|OLDPWD\b|SHLVL\b)/.test(line) && !/^declare -\w*r/.test(line),
    );
  const script = [
    `for name in $(compgen -e); do case "$name" in ${OWN_NAMES}) ;; *) unset "$name" 2>/dev/null ;; esac; done`,
    ...settings,
    `cd -- ${quote(sandbox.tree)}`,
  ].join("\n");
  const result = await sandbox.run({ ...common, key: context.key, script, session: context.session }, signal);
  return result.kind === "exited" && result.exitCode === 0
    ? done("The shell was restarted. You are at the top of the working tree.")
    : changed("The shell may not have restarted completely. Begin the next command with cd.");
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
