/** `memory export|import`: memories as JSON lines, to keep them elsewhere or bring them to another store. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ConfigurationError } from "../../domain/errors.ts";
import { exportLines, importLines, readLines } from "../../memory/experience/lines.ts";
import { CommandFailed, DONE, UsageError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import type { ActionName, MemoryArgs } from "./actions.ts";
import { scopeOf, withMemory } from "./experience.ts";

export function run(action: ActionName, args: MemoryArgs, terminal: Terminal): Promise<number> {
  return action === "export" ? write(args.repo, terminal) : read(args.subject, terminal);
}

function write(repo: string | undefined, terminal: Terminal): Promise<number> {
  const named = repo === undefined ? null : scopeOf(repo, "export");
  return withMemory(terminal, async ({ experience }, signal) => {
    const scopes = named ? [named] : await experience.scopes(signal);
    for (const scope of scopes.toSorted((a, b) => (a.repository < b.repository ? -1 : 1)))
      for (const line of await exportLines(experience, scope, signal)) process.stdout.write(line);
    return DONE;
  });
}

function read(file: string | undefined, terminal: Terminal): Promise<number> {
  if (file === undefined)
    throw new UsageError("FILE is missing. Write memory import FILE, or - for standard input.", "memory");
  const lines = readLinesOf(file, terminal.cwd);
  return withMemory(terminal, async ({ experience }, signal) => {
    const imported = await importLines(experience, lines, signal);
    if (terminal.json) terminal.document({ imported });
    else if (imported.length === 0) terminal.out("There is nothing in it.");
    else
      for (const { repository, memories } of imported)
        terminal.out(`${repository}: ${memories} ${memories === 1 ? "memory" : "memories"}.`);
    return DONE;
  });
}

/** All lines are read before the first is stored: a file is taken in whole, or not at all. */
function readLinesOf(file: string, cwd: string): ReturnType<typeof readLines> {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : resolve(cwd, file), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandFailed("cannot-read", `${file} cannot be read (${code}).`, { cause: error });
  }
  try {
    return readLines(text);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const problems = [`Nothing of ${file === "-" ? "standard input" : file} was imported:`, ...error.problems];
    throw new CommandFailed("not-memories", problems.join("\n"), { cause: error });
  }
}
