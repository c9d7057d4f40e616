/** `mergewright memory ...`: what is where in a repository on this machine, and what runs have learnt. */
import { ACTIONS, isAction } from "./memory/actions.ts";
import { command, jsonOption } from "./command.ts";
import { UsageError } from "./errors.ts";

export default command({
  args: {
    action: {
      type: "positional",
      description:
        "Code: index DIR, search QUERY, remove DIR. What was learnt and taught: list, recall QUERY, remember TEXT, forget, export, import FILE. All of it: snapshot FILE",
    },
    subject: {
      type: "positional",
      required: false,
      description: "DIR: a work tree or bare repository; QUERY: an issue's text; FILE: `-` is standard input",
    },
    repo: {
      type: "string",
      valueHint: "REPO",
      description: "search: the folder of a repository, indexed before; all others: OWNER/NAME",
    },
    commit: { type: "string", valueHint: "SHA", description: "index: the commit (default: HEAD)" },
    limit: {
      type: "string",
      valueHint: "N",
      description: "search: how many files at most (default: 20); recall: how many memories (default: 10)",
    },
    batch: {
      type: "string",
      valueHint: "FILE",
      description: "search: JSON lines {id, query}; answers a line {id, results} each",
    },
    explain: { type: "boolean", description: "search: also what each signal added to the score" },
    issue: { type: "string", valueHint: "NUMBER", description: "list, remember, forget: the issue's number" },
    id: { type: "string", valueHint: "ID", description: "forget: one memory, as list and export name it" },
    kind: { type: "string", valueHint: "KIND", description: "list, recall: resolution, workflow, lesson or taught" },
    threshold: {
      type: "string",
      valueHint: "0..1",
      description: "recall: how much alike the memories must be (default: 0)",
    },
    by: {
      type: "string",
      valueHint: "LOGIN",
      description: "remember: who says so (default: your name on this machine)",
    },
    folders: { type: "boolean", description: "list: the folders that are indexed, also those that are gone" },
    json: jsonOption,
  },
  async run(args, terminal) {
    const { action = "" } = args;
    if (!isAction(action))
      throw new UsageError(
        `There is no "memory ${action.slice(0, 40)}". Write ${Object.keys(ACTIONS).join(", ")}.`,
        "memory",
      );
    const given = Object.entries(args).flatMap(([name, value]) =>
      value === undefined || value === false ? [] : [name],
    );
    const idle = given.filter((name) => !["_", "action", "json", ...ACTIONS[action].takes].includes(name));
    if (idle.length > 0) throw new UsageError(idleWords(action, idle[0]!), "memory");
    const { run } = await ACTIONS[action].load();
    return run(action, args, terminal);
  },
});

function idleWords(action: string, name: string): string {
  return name === "subject"
    ? `memory ${action} takes no further word.`
    : `--${name} means nothing to memory ${action}. Leave it out.`;
}
