/** `/mergewright VERB [text]`: how people command a run from a comment. */
import type { SlashCommand } from "./events.ts";
import { headOf } from "./text.ts";

export type ReadCommand =
  | { kind: "command"; command: SlashCommand }
  | { kind: "none" }
  | { kind: "refused"; reason: string };

/** What the mention looks like in every reason that names it. */
export const COMMAND_VERBS =
  "approve, approve plan, revise TEXT, reject TEXT, answer TEXT, run, pause, resume, cancel, budget USD, remember TEXT";

/**
 * Reads the command on the first line of a comment that says anything. A quote, a code block, a list or prose before it
 * means that somebody talks about a command, so there is none. Text may go on over the following lines.
 */
export function readSlashCommand(body: string): ReadCommand {
  const [first = "", ...rest] = body.replace(/^(?:[ \t]*\r?\n)+/, "").split(/\r?\n/);
  // Four spaces or a tab make a code block in Markdown; up to three do not.
  const line = /^ {0,3}\/mergewright(?:[ \t]+(.*))?$/i.exec(first);
  if (!line) return { kind: "none" };

  const [, verb = "", argument = ""] = /^(\S*)\s*(.*)$/.exec((line[1] ?? "").trim()) ?? [];
  const text = [argument, ...rest].join("\n").trim();
  return readVerb(verb.toLowerCase(), argument.trim(), text);
}

function readVerb(verb: string, argument: string, text: string): ReadCommand {
  switch (verb) {
    case "approve":
      if (argument.toLowerCase() === "plan") return command({ verb: "approve-plan" });
      return argument === "" ? command({ verb }) : unwanted("approve", argument);
    case "approve-plan":
    case "run":
    case "pause":
    case "resume":
    case "cancel":
      return argument === "" ? command({ verb }) : unwanted(verb, argument);
    case "revise":
    case "reject":
    case "answer":
    case "remember":
      return text === "" ? refused(`\`${verb}\` needs a text after it`) : command({ verb, text });
    case "budget":
      return readBudget(argument);
    default:
      return refused(verb === "" ? "no verb follows /mergewright" : `\`${cut(verb)}\` is not a verb`);
  }
}

/** `25`, `25.50`, `$25`, `25 USD`. */
function readBudget(argument: string): ReadCommand {
  const amount = /^\$?(\d{1,6}(?:\.\d{1,2})?)(?:\s*(?:usd|\$))?$/i.exec(argument)?.[1];
  const usd = Number(amount);
  return usd > 0 ? command({ verb: "budget", usd }) : refused("`budget` needs an amount in US dollars, such as 25");
}

function command(command: SlashCommand): ReadCommand {
  return { kind: "command", command };
}

/** A condition ("approve if the tests pass") must not be taken for the bare verb. */
function unwanted(verb: string, argument: string): ReadCommand {
  return refused(`\`${verb}\` stands alone on its line, but \`${cut(argument)}\` follows it`);
}

function refused(reason: string): ReadCommand {
  return { kind: "refused", reason: `${reason}. The commands are: ${COMMAND_VERBS}.` };
}

function cut(text: string): string {
  return text.length > 60 ? `${headOf(text, 60)}...` : text;
}
