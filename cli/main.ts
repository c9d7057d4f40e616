/** The command line `mergewright`: finds the command, checks its arguments, runs it, and tells how it ended. */
import { parseArgs, renderUsage, type CommandDef } from "citty";
import { processEnvironment } from "../config/environment.ts";
import { namedLikeSecrets } from "../config/secrets.ts";
import { nearest } from "../config/suggest.ts";
import { productVersion } from "../config/version.ts";
import { createRedactor } from "../workers/redact.ts";
import { checkArguments } from "./check-arguments.ts";
import { COMMANDS, type Entry } from "./commands.ts";
import { DONE, tell, USAGE, UsageError } from "./errors.ts";
import { textsLast } from "./texts-last.ts";
import { createTerminal, type Terminal } from "./terminal.ts";

/** Sets the exit code of this process. Never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  const json = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined).includes("--json");
  const terminal = createTerminal(processEnvironment(), json);
  try {
    process.exitCode = await dispatch(argv, terminal);
  } catch (error) {
    process.exitCode = report(error, terminal);
  }
}

async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [first, ...words] = argv;
  const rest = textsLast(words);
  if (first === "--version" || first === "-v") return print(productVersion(), terminal);
  if (first === "--help" || first === "-h" || first === "help") return help(rest[0], terminal);
  if (first === undefined) {
    terminal.err(await renderUsage(overview()));
    return USAGE;
  }
  const entry = entryOf(first);
  const options = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (options.includes("--help") || options.includes("-h")) return help(first, terminal);
  const { default: command } = await entry.load();
  checkArguments(rest, command.args, first);
  return command.run(parseArgs([...rest], command.args), terminal);
}

function entryOf(word: string): Entry {
  if (Object.hasOwn(COMMANDS, word)) return COMMANDS[word]!;
  if (word.startsWith("-")) throw new UsageError(`There is no option ${word.slice(0, 60)} before a command.`);
  const near = nearest(word, Object.keys(COMMANDS));
  throw new UsageError(`There is no command "${word.slice(0, 60)}".${near ? ` Did you mean ${near}?` : ""}`);
}

async function help(name: string | undefined, terminal: Terminal): Promise<number> {
  if (name === undefined || name.startsWith("-")) return print(await renderUsage(overview()), terminal);
  const { description, load } = entryOf(name);
  const { args } = (await load()).default;
  const definition: CommandDef = { meta: { name, description }, args };
  return print(await renderUsage(definition, { meta: { name: "mergewright" } }), terminal);
}

function print(text: string, terminal: Terminal): number {
  terminal.out(text.trimEnd());
  return DONE;
}

function overview(): CommandDef {
  const commands = Object.entries(COMMANDS).map(([name, { description }]) => [name, { meta: { name, description } }]);
  const description = "Turns a GitHub issue into a reviewed, merged pull request, as one durable Temporal workflow.";
  return {
    meta: { name: "mergewright", version: productVersion(), description },
    subCommands: Object.fromEntries(commands) as Record<string, CommandDef>,
  };
}

function report(error: unknown, terminal: Terminal): number {
  const told = tell(error);
  // Errors may quote what an outside service said; the keys in our environment are not to be among it.
  const clean = createRedactor(namedLikeSecrets(terminal.env));
  if (terminal.json) {
    const problems = told.problems ? { problems: told.problems.map(clean) } : {};
    terminal.document({ error: { code: told.code, message: clean(told.message), ...problems } });
    return told.exitCode;
  }
  terminal.err(clean(told.stack ?? told.message));
  if (error instanceof UsageError)
    terminal.err(`See \`mergewright ${error.command ? `${error.command} ` : ""}--help\`.`);
  return told.exitCode;
}
