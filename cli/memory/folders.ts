/** The indexes of folders on this machine: naming them, and letting go of one whose folder is gone or was moved. */
import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { loadMemoryConfig, type MemoryConfig } from "../../config/memory.ts";
import { NotFound } from "../../domain/errors.ts";
import type { MemoryScope } from "../../domain/memory.ts";
import { openStore } from "../../memory/store/open.ts";
import type { PointStore } from "../../memory/store/store.ts";
import { DONE } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import { endingSignal } from "./ending-signal.ts";

/** `memory list --folders`. */
export async function listFolders(terminal: Terminal): Promise<number> {
  const config = loadMemoryConfig(terminal);
  const found: { folder: string; files: number; there: boolean }[] = [];
  const signal = endingSignal();
  await withStore(config, async (store) => {
    for (const scope of await foldersIn(store, signal)) {
      const { files } = (await store.note(scope, signal)) as { files: number };
      found.push({ folder: scope.repository, files, there: existsSync(scope.repository) });
    }
  });
  found.sort((a, b) => (a.folder < b.folder ? -1 : 1));
  if (terminal.json) terminal.document(found);
  else if (found.length === 0) terminal.out("No folder is indexed.");
  else
    for (const { folder, files, there } of found)
      terminal.out(`${folder}: ${files} ${files === 1 ? "file" : "files"}${there ? "" : ", the folder is gone"}`);
  return DONE;
}

/** Forgets the index of what is no repository any more; gives its name. Throws `cause` with more words where there is no such index. */
export async function removeGone(
  config: Pick<MemoryConfig, "file" | "qdrant">,
  cwd: string,
  folder: string,
  cause: NotFound,
  signal: AbortSignal,
): Promise<string> {
  const named = await pathOf(resolve(cwd, folder));
  const repository = basename(named) === ".git" ? dirname(named) : named;
  let removed = false;
  await withStore(config, async (store) => {
    const known = (await foldersIn(store, signal)).find((scope) => scope.repository === repository);
    if (known === undefined) return;
    await store.forget(known, signal);
    removed = true;
  });
  if (removed) return repository;
  throw new NotFound(
    "index",
    `${cause.message} Nor is ${repository} indexed: \`memory list --folders\` names what is.`,
    { cause },
  );
}

async function foldersIn(store: PointStore, signal: AbortSignal): Promise<MemoryScope[]> {
  return (await store.scopes(signal)).filter(({ tenant, repository }) => tenant === "local" && isAbsolute(repository));
}

async function withStore(
  config: Pick<MemoryConfig, "file" | "qdrant">,
  use: (store: PointStore) => Promise<void>,
): Promise<void> {
  // Whoever only looks leaves nothing behind.
  if (config.qdrant === null && !existsSync(config.file)) return;
  const store = await openStore(config);
  try {
    await use(store);
  } finally {
    await store.close();
  }
}

/** As it was named when it was there: without links in what is left of it. */
async function pathOf(path: string): Promise<string> {
  if (existsSync(path)) return realpath(path);
  return dirname(path) === path ? path : join(await pathOf(dirname(path)), basename(path));
}
