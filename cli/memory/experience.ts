/** The store of what was learnt and taught, for as long as a command needs it. */
import { loadMemoryConfig } from "../../config/memory.ts";
import { isRepositoryName } from "../../domain/ids.ts";
import { scopeOfRepository, type MemoryScope } from "../../domain/memory.ts";
import type { MemoryPort } from "../../domain/memory-ports.ts";
import { createMemory } from "../../workers/memory.ts";
import { UsageError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import { endingSignal } from "./ending-signal.ts";

export async function withMemory<T>(
  terminal: Terminal,
  use: (memory: MemoryPort, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const memory = createMemory(loadMemoryConfig(terminal), (message) => terminal.err(message));
  try {
    return await use(memory, endingSignal());
  } finally {
    await memory.close();
  }
}

/** Throws UsageError where `--repo` is missing or names no repository of GitHub. */
export function scopeOf(repo: string | undefined, action: string): MemoryScope {
  if (repo === undefined)
    throw new UsageError(`--repo is missing. Write memory ${action} --repo OWNER/NAME.`, "memory");
  if (isRepositoryName(repo)) return scopeOfRepository(repo);
  throw new UsageError(
    `--repo "${repo.slice(0, 80)}" is not a repository. Write OWNER/NAME. (A folder's index is taken away by memory remove DIR.)`,
    "memory",
  );
}
