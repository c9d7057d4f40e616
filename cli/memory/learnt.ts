/** `memory list|recall|remember|forget`: what runs have learnt and people have taught. */
import { userInfo } from "node:os";
import { MEMORY_KINDS, type MemoryKind, type MemoryScope } from "../../domain/memory.ts";
import type { MemoryFilter } from "../../domain/memory-ports.ts";
import { CommandFailed, DONE, UsageError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import type { ActionName, MemoryArgs } from "./actions.ts";
import { listFolders } from "./folders.ts";
import { scopeOf, withMemory } from "./experience.ts";
import { readIssue, readLimit, readThreshold } from "./numbers.ts";
import { showMemories, showRecalled } from "./show-memories.ts";

const RECALLED = 10;
/** As `domain/memory.ts` has it: longer words would be cut, and nobody told. */
const MAX_CHARACTERS = 4_000;
const MAX_NAME = 100;

export function run(action: ActionName, args: MemoryArgs, terminal: Terminal): Promise<number> {
  switch (action) {
    case "list":
      if (args.folders) return listFolders(terminal);
      return args.repo === undefined && args.issue === undefined && args.kind === undefined
        ? listRepositories(terminal)
        : list(scopeOf(args.repo, action), args, terminal);
    case "recall":
      return recall(scopeOf(args.repo, action), args, terminal);
    case "remember":
      return remember(scopeOf(args.repo, action), args, terminal);
    default:
      return forget(args, terminal);
  }
}

function listRepositories(terminal: Terminal): Promise<number> {
  return withMemory(terminal, async ({ experience }, signal) => {
    const found: { repository: string; memories: number }[] = [];
    for (const scope of await experience.scopes(signal)) {
      const memories = (await experience.list(scope, {}, signal)).length;
      if (memories > 0) found.push({ repository: scope.repository, memories });
    }
    found.sort((a, b) => (a.repository < b.repository ? -1 : 1));
    if (terminal.json) terminal.document(found);
    else if (found.length === 0) terminal.out("Nothing is remembered yet.");
    else for (const { repository, memories } of found) terminal.out(`${repository}: ${counted(memories)}`);
    return DONE;
  });
}

function list(scope: MemoryScope, args: MemoryArgs, terminal: Terminal): Promise<number> {
  const kinds = readKinds(args.kind);
  const issue = readIssue(args.issue);
  return withMemory(terminal, async ({ experience }, signal) => {
    const filter: MemoryFilter = { ...(kinds ? { kinds } : {}), ...(issue === null ? {} : { issue }) };
    const memories = await experience.list(scope, filter, signal);
    if (terminal.json) terminal.document(memories);
    else showMemories(memories, terminal);
    return DONE;
  });
}

function recall(scope: MemoryScope, args: MemoryArgs, terminal: Terminal): Promise<number> {
  const text = args.subject?.trim() ?? "";
  if (text === "") throw new UsageError("QUERY is missing. Write memory recall QUERY --repo OWNER/NAME.", "memory");
  const kinds = readKinds(args.kind);
  const [limit, threshold] = [readLimit(args.limit, RECALLED), readThreshold(args.threshold)];
  return withMemory(terminal, async ({ experience }, signal) => {
    const options = { limit, threshold, signal, ...(kinds ? { kinds } : {}) };
    const found = await experience.search(scope, text, options);
    if (terminal.json) terminal.document(found);
    else showRecalled(found, terminal);
    return DONE;
  });
}

function remember(scope: MemoryScope, args: MemoryArgs, terminal: Terminal): Promise<number> {
  const text = args.subject?.trim() ?? "";
  if (text === "") throw new UsageError("TEXT is missing. Write memory remember TEXT --repo OWNER/NAME.", "memory");
  if (text.length > MAX_CHARACTERS)
    throw new UsageError(
      `TEXT has ${text.length} characters, ${MAX_CHARACTERS} fit into one memory. Shorten it, or say it in parts.`,
      "memory",
    );
  const by = args.by?.trim() ?? userInfo().username;
  if (by === "" || by.length > MAX_NAME)
    throw new UsageError(`--by takes a name of 1 to ${MAX_NAME} characters, not ${by.length}.`, "memory");
  const issue = readIssue(args.issue);
  return withMemory(terminal, async ({ experience }, signal) => {
    const memory = experience.taught({ text, by, issue, at: new Date().toISOString() });
    await experience.store(scope, [memory], signal);
    if (terminal.json) terminal.document({ repository: scope.repository, ...memory });
    else terminal.out(`Remembered for ${scope.repository} as ${memory.id}.`);
    return DONE;
  });
}

function forget(args: MemoryArgs, terminal: Terminal): Promise<number> {
  const issue = readIssue(args.issue);
  const { repo, id } = args;
  if (repo === undefined && id === undefined)
    throw new UsageError(
      "Say what to forget: --repo OWNER/NAME (all of it), --repo with --issue NUMBER, or --id ID.",
      "memory",
    );
  const named = repo === undefined ? null : scopeOf(repo, "forget");
  const filter: MemoryFilter = { ...(id === undefined ? {} : { id }), ...(issue === null ? {} : { issue }) };
  return withMemory(terminal, async (memory, signal) => {
    const scopes = named ? [named] : await memory.experience.scopes(signal);
    const forgotten: { repository: string; ids: string[] }[] = [];
    for (const scope of scopes) {
      const ids = await memory.experience.forget(scope, filter, signal);
      if (ids.length > 0) forgotten.push({ repository: scope.repository, ids });
    }
    // Everything of a repository is its code, too.
    const all = named !== null && issue === null && id === undefined;
    if (all) await memory.code.remove(named, signal);
    if (id !== undefined && forgotten.length === 0)
      throw new CommandFailed(
        "not-found",
        `There is no memory ${id.slice(0, 80)}. \`memory list --repo OWNER/NAME\` names those that there are.`,
      );
    if (terminal.json) terminal.document({ forgotten });
    else if (forgotten.length === 0) terminal.out("Nothing was remembered of it.");
    else for (const { repository, ids } of forgotten) terminal.out(`${repository}: ${counted(ids.length)} forgotten.`);
    return DONE;
  });
}

function readKinds(text: string | undefined): MemoryKind[] | null {
  if (text === undefined) return null;
  const kind = MEMORY_KINDS.find((known) => known === text);
  if (kind) return [kind];
  throw new UsageError(`--kind takes ${MEMORY_KINDS.join(", ")}, not "${text.slice(0, 40)}".`, "memory");
}

function counted(memories: number): string {
  return memories === 1 ? "1 memory" : `${memories} memories`;
}
