/** The memory of a repository on this machine: its store, its Git, and the scope under which it is known. */
import { realpath } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { findGitDir, openSourceRepository } from "../../activities/adapters/git/source.ts";
import type { MemoryConfig } from "../../config/memory.ts";
import type { Asking, CodeHit, CodeIndex, IndexProgress, IndexReport, MemoryScope } from "../../domain/memory-ports.ts";
import { createCodeIndex } from "../../memory/code/code-index.ts";
import { createEmbedder } from "../../memory/dense/embedder.ts";
import { openStore } from "../../memory/store/open.ts";

export interface LocalMemory extends LocalCode {
  /** `embedded` or `qdrant`. */
  store: string;
  close(): Promise<void>;
}

export interface LocalCode {
  /** As people know it: the folder. */
  repository: string;
  index(
    revision: string,
    options: { signal: AbortSignal; onProgress?: (progress: IndexProgress) => void },
  ): Promise<IndexReport>;
  search(query: string, options: { limit: number } & Asking): Promise<CodeHit[]>;
  remove(signal: AbortSignal): Promise<void>;
}

export async function openLocalMemory(
  config: Omit<MemoryConfig, "secrets"> & Partial<Pick<MemoryConfig, "secrets">>,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  folder: string,
  warn: (message: string) => void = () => {},
): Promise<LocalMemory> {
  // Before the store is made: what is no repository leaves nothing behind.
  const gitDir = await gitDirOf(cwd, folder);
  const store = await openStore({ ...config, warn });
  const secrets = config.secrets?.() ?? [];
  const embedder = config.embeddings ? createEmbedder({ ...config.embeddings, secrets }) : null;
  const code = createCodeIndex({ store, embedder, warn });
  return { ...localCode(code, env, gitDir), store: store.kind, close: () => store.close() };
}

/** The same, over a store that is open already. */
export async function localMemory(
  code: CodeIndex,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  folder: string,
): Promise<LocalCode> {
  return localCode(code, env, await gitDirOf(cwd, folder));
}

async function gitDirOf(cwd: string, folder: string): Promise<string> {
  return realpath(await findGitDir(resolve(cwd, folder)));
}

function localCode(code: CodeIndex, env: Readonly<Record<string, string | undefined>>, gitDir: string): LocalCode {
  const repository = basename(gitDir) === ".git" ? dirname(gitDir) : gitDir;
  const scope: MemoryScope = { tenant: "local", repository };
  return {
    repository,
    index: (revision, options) => code.index(scope, openSourceRepository(env, gitDir), revision, options),
    search: (query, options) => code.search(scope, query, options),
    remove: (signal) => code.remove(scope, signal),
  };
}
