/** `memory index|search|remove`: what is where in a repository on this machine. */
import { loadMemoryConfig } from "../../config/memory.ts";
import { NotFound } from "../../domain/errors.ts";
import { CommandFailed, DONE, UsageError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import type { ActionName, MemoryArgs } from "./actions.ts";
import { readBatch } from "./batch.ts";
import { endingSignal } from "./ending-signal.ts";
import { removeGone } from "./folders.ts";
import { readLimit } from "./numbers.ts";
import { openLocalMemory } from "./open.ts";
import { showHits, showIndexed, showProgress } from "./show.ts";

const DEFAULT_LIMIT = 20;

export async function run(action: ActionName, args: MemoryArgs, terminal: Terminal): Promise<number> {
  const { subject } = args;
  const limit = readLimit(args.limit, DEFAULT_LIMIT);
  const batch = args.batch === undefined ? null : readBatch(args.batch, terminal.cwd);
  const folder = action === "search" ? args.repo : subject;
  if (folder === undefined) throw new UsageError(missing(action), "memory");
  if (action === "search" && (subject === undefined) === (batch === null))
    throw new UsageError("Write a QUERY, or --batch FILE: one of them.", "memory");

  const config = loadMemoryConfig(terminal);
  const ending = endingSignal();
  // Once, and not with each of many questions.
  const said = new Set<string>();
  const note = (message: string): void => {
    if (!said.has(message)) terminal.err(message);
    said.add(message);
  };
  const open = () => openLocalMemory(config, terminal.env, terminal.cwd, folder, note);
  if (action === "remove") return remove();
  const memory = await open();
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
    const search = async (query: string): Promise<object[]> => {
      const hits = await memory.search(query, { limit, signal: ending, note });
      return args.explain ? hits : hits.map(({ path, score, lines, why }) => ({ path, score, lines, why }));
    };
    if (batch !== null) {
      for (const { id, query } of batch)
        process.stdout.write(`${JSON.stringify({ id, results: await search(query) })}\n`);
      return DONE;
    }
    if (args.json) terminal.document(await search(subject!));
    else showHits(await memory.search(subject!, { limit, signal: ending, note }), args.explain === true, terminal);
    return DONE;
  } catch (error) {
    if (error instanceof NotFound) throw new CommandFailed("not-found", error.message, { cause: error });
    throw error;
  } finally {
    await memory.close();
  }

  async function remove(): Promise<number> {
    let removed: string;
    try {
      const known = await open();
      removed = known.repository;
      try {
        await known.remove(ending);
      } finally {
        await known.close();
      }
    } catch (error) {
      // The folder may have been deleted or moved; its index is still there.
      if (!(error instanceof NotFound)) throw error;
      removed = await removeGone(config, terminal.cwd, folder!, error, ending);
    }
    if (args.json) terminal.document({ removed });
    else terminal.out(`${removed} is forgotten.`);
    return DONE;
  }
}

function missing(action: ActionName): string {
  return action === "search"
    ? "--repo is missing. Write --repo DIR, a repository that was indexed before."
    : `DIR is missing. Write memory ${action} DIR.`;
}
