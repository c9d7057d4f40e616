/** `mergewright memory index|search|remove`: what is where in a repository on this machine. */
import { loadMemoryConfig } from "../config/memory.ts";
import { NotFound } from "../domain/errors.ts";
import { command, jsonOption } from "./command.ts";
import { CommandFailed, DONE, UsageError } from "./errors.ts";
import { readBatch } from "./memory/batch.ts";
import { openLocalMemory } from "./memory/open.ts";
import { showHits, showIndexed, showProgress } from "./memory/show.ts";

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1_000;

export default command({
  args: {
    action: { type: "positional", description: "index DIR, search QUERY, or remove DIR" },
    subject: {
      type: "positional",
      required: false,
      description: "DIR: a work tree or bare repository; QUERY: an issue's text",
    },
    repo: { type: "string", valueHint: "DIR", description: "search: the repository, indexed before" },
    commit: { type: "string", valueHint: "SHA", description: "index: the commit (default: HEAD)" },
    limit: {
      type: "string",
      valueHint: "N",
      description: `search: how many files at most (default: ${DEFAULT_LIMIT})`,
    },
    batch: {
      type: "string",
      valueHint: "FILE",
      description: "search: JSON lines {id, query}; answers a line {id, results} each",
    },
    explain: { type: "boolean", description: "search: also what each signal added to the score" },
    json: jsonOption,
  },
  async run(args, terminal) {
    const { action = "", subject } = args;
    if (action !== "index" && action !== "search" && action !== "remove")
      throw new UsageError(`There is no "memory ${action.slice(0, 40)}". Write index, search or remove.`, "memory");
    const limit = readLimit(args.limit);
    const batch = args.batch === undefined ? null : readBatch(args.batch, terminal.cwd);
    const folder = action === "search" ? args.repo : subject;
    if (folder === undefined) throw new UsageError(missing(action), "memory");
    if (action === "search" && (subject === undefined) === (batch === null))
      throw new UsageError("Write a QUERY, or --batch FILE: one of them.", "memory");

    const config = loadMemoryConfig(terminal);
    const ending = endingSignal();
    const memory = await openLocalMemory(config, terminal.env, terminal.cwd, folder);
    try {
      if (action === "index") {
        const startedAt = performance.now();
        const report = await memory.index(args.commit ?? "HEAD", {
          signal: ending,
          ...(terminal.json ? {} : { onProgress: showProgress(terminal) }),
        });
        const seconds = Math.round(performance.now() - startedAt) / 1_000;
        if (args.json) terminal.document({ ...report, seconds, store: memory.store });
        else showIndexed(report, seconds, terminal);
        return DONE;
      }
      if (action === "remove") {
        await memory.remove(ending);
        if (args.json) terminal.document({ removed: memory.repository });
        else terminal.out(`${memory.repository} is forgotten.`);
        return DONE;
      }
      const search = async (query: string): Promise<object[]> => {
        const hits = await memory.search(query, { limit, signal: ending });
        return args.explain ? hits : hits.map(({ path, score, lines, why }) => ({ path, score, lines, why }));
      };
      if (batch !== null) {
        for (const { id, query } of batch)
          process.stdout.write(`${JSON.stringify({ id, results: await search(query) })}\n`);
        return DONE;
      }
      if (args.json) terminal.document(await search(subject!));
      else showHits(await memory.search(subject!, { limit, signal: ending }), args.explain === true, terminal);
      return DONE;
    } catch (error) {
      if (error instanceof NotFound) throw new CommandFailed("not-found", error.message, { cause: error });
      throw error;
    } finally {
      await memory.close();
    }
  },
});

function missing(action: string): string {
  return action === "search"
    ? "--repo is missing. Write --repo DIR, a repository that was indexed before."
    : `DIR is missing. Write memory ${action} DIR.`;
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new UsageError(`--limit takes a number from 1 to ${MAX_LIMIT}, not "${text.slice(0, 20)}".`, "memory");
}

/** What was written before an interruption stays, and the next index goes on from there. */
function endingSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () =>
      controller.abort(new CommandFailed("interrupted", "Interrupted. Run the same command again to go on.")),
    );
  return controller.signal;
}
