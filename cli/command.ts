/** What a command is made of. citty parses its arguments and writes its help; {@link "./commands.ts"} names it. */
import type { ArgsDef, ParsedArgs } from "citty";
import type { Terminal } from "./terminal.ts";

export interface Command {
  args: ArgsDef;
  /** The exit code. Throws what {@link "./errors.ts".tell} understands. */
  run(args: ParsedArgs<ArgsDef>, terminal: Terminal): Promise<number>;
}

interface Parts<T extends ArgsDef> {
  args: T;
  run: (args: ParsedArgs<T>, terminal: Terminal) => Promise<number>;
}

/** Keeps the types of a command's own arguments within it. */
export function command<const T extends ArgsDef>({ args, run }: Parts<T>): Command {
  return { args, run: (parsed, terminal) => run(parsed as unknown as ParsedArgs<T>, terminal) };
}

/** Every command that answers with data takes it. */
export const jsonOption = {
  type: "boolean",
  description: "Print one JSON document on standard output, and nothing else there",
} as const;
