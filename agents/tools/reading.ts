/**
 * Does a tool call only read? Those may run side by side and need no checkpoint. A "no" costs a moment, a wrong "yes" an order of
 * effects: so only what is known to be harmless counts, and everything else does not. It is no security boundary: the sandbox is.
 */
import { splitScript, type Word } from "./shell-words.ts";
import type { ToolCall } from "./result.ts";

export function onlyReads(call: Pick<ToolCall, "name" | "input">): boolean {
  const input = call.input;
  if (typeof input !== "object" || input === null) return false;
  if (call.name === "search_code") return true;
  if (call.name === "str_replace_based_edit_tool") return "command" in input && input.command === "view";
  if (call.name !== "bash" || "restart" in input) return false;
  return "command" in input && typeof input.command === "string" && isReadingScript(input.command);
}

/** A script made of reading commands only, joined by `|`, `||`, `&&`, `;` or line ends. */
export function isReadingScript(script: string): boolean {
  if (script.length > 10_000) return false;
  const commands = splitScript(script);
  return commands !== null && commands.every(isReadingCommand);
}

function isReadingCommand(words: readonly Word[]): boolean {
  const [command, ...args] = words;
  if (command === undefined || command.wild) return false;
  const rule = COMMANDS.get(command.text);
  if (rule === undefined) return false;
  if (rule === "any") return true;
  // A file may be named like an option: `sed -n 1p *` with a file `-i`.
  return !args.some((word) => word.wild) && rule(args.map((word) => word.text));
}

type Rule = "any" | ((args: readonly string[]) => boolean);

/** `any`: no option of it writes or runs anything. */
const COMMANDS = new Map<string, Rule>([
  ...[
    "ls",
    "cat",
    "head",
    "tail",
    "grep",
    "egrep",
    "fgrep",
    "wc",
    "pwd",
    "echo",
    "true",
    "false",
    "stat",
    "du",
    "basename",
    "dirname",
    "realpath",
    "readlink",
    "which",
    "cut",
    "tr",
    "nl",
    "tac",
    "cmp",
    "diff",
    "whoami",
    "uname",
    "jq",
    "od",
    "strings",
    "md5sum",
    "sha1sum",
    "sha256sum",
  ].map((name): [string, Rule] => [name, "any"]),
  ["rg", (args) => !args.some((arg) => /^--(?:pre|hostname-bin)/.test(arg))],
  ["find", findReads],
  ["sed", sedReads],
  [
    "sort",
    (args) =>
      args.every((arg) => !arg.startsWith("--") && (!arg.startsWith("-") || /^-[bdfghinrRsuVcCmkt0-9.,:]+$/.test(arg))),
  ],
  ["uniq", (args) => args.every((arg) => /^-[cdiu]+$/.test(arg))],
  ["git", gitReads],
]);

const FIND_OPTIONS = new Set([
  "-name",
  "-iname",
  "-path",
  "-ipath",
  "-wholename",
  "-regex",
  "-iregex",
  "-type",
  "-maxdepth",
  "-mindepth",
  "-not",
  "-o",
  "-or",
  "-a",
  "-and",
  "-print",
  "-print0",
  "-prune",
  "-size",
  "-newer",
  "-mtime",
  "-mmin",
  "-empty",
  "-L",
  "-H",
  "-P",
  "-perm",
  "-user",
  "-links",
]);

function findReads(args: readonly string[]): boolean {
  return args.every((arg) => !arg.startsWith("-") || FIND_OPTIONS.has(arg) || /^-\d+$/.test(arg));
}

const SED_ADDRESS = String.raw`(?:\d+|\$|/[^/\\\n]*/)`;
const SED_PRINT = new RegExp(`^${SED_ADDRESS}(?:,\\+?${SED_ADDRESS})?p$`);

/** Only `sed -n 'ADDRESS[,ADDRESS]p' FILES`: the language of sed can write files and run programs. */
function sedReads(args: readonly string[]): boolean {
  const [option, script, ...files] = args;
  if (option === undefined || !/^-(?:n|nE|En|nr|rn)$/.test(option) || script === undefined) return false;
  return script.split(";").every((part) => SED_PRINT.test(part.trim())) && files.every((file) => !file.startsWith("-"));
}

const GIT_COMMANDS = new Set([
  "log",
  "show",
  "diff",
  "status",
  "blame",
  "ls-files",
  "ls-tree",
  "rev-parse",
  "grep",
  "shortlog",
  "merge-base",
  "rev-list",
  "describe",
]);

/** Long options may be abbreviated, so what writes or runs programs (--output, --ext-diff) is refused by its shortest forms. */
const GIT_REFUSED = /^--(?:o|ext|textc|exe|upl)|^-[A-Za-z]*O/;
const GIT_ALLOWED = new Set(["--oneline", "--others", "--only-matching", "--or"]);

function gitReads(args: readonly string[]): boolean {
  const rest = args[0] === "--no-pager" ? args.slice(1) : args;
  const [subcommand, ...options] = rest;
  return (
    subcommand !== undefined &&
    GIT_COMMANDS.has(subcommand) &&
    !options.some((option) => GIT_REFUSED.test(option) && !GIT_ALLOWED.has(option))
  );
}
