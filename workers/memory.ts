/** The memory of this process, opened when it is first asked: a store that cannot be opened stops no worker. */
import type { Config } from "../config/config.ts";
import { memoryFile } from "../config/memory.ts";
import type { MemoryPort } from "../domain/memory-ports.ts";
import { createCodeIndex } from "../memory/code/code-index.ts";
import { createEmbedder } from "../memory/dense/embedder.ts";
import { createExperience } from "../memory/experience/experience.ts";
import { openStore, type StoreConfig } from "../memory/store/open.ts";
import type { PointStore } from "../memory/store/store.ts";

/** A worker that stands still for longer than this misses heartbeats; whoever finds the file busy tries again later. */
const BUSY_MS = 2_000;

export type MemoryConfig = Pick<Config, "home" | "embeddings"> &
  Pick<StoreConfig, "qdrant"> &
  Partial<Pick<Config, "secrets">>;

/** @param warn is told when a search had to do with less than it should. */
export function createMemory(
  { home, qdrant, embeddings, secrets }: MemoryConfig,
  warn: (message: string) => void = () => {},
): MemoryPort {
  let opening: Promise<PointStore> | null = null;
  // What failed once is tried again by the next who asks.
  const opened = (): Promise<PointStore> =>
    (opening ??= openStore({ file: memoryFile(home), qdrant, busyMs: BUSY_MS, warn }).catch((error: unknown) => {
      opening = null;
      throw error;
    }));
  const store = onceOpened(opened, qdrant === null ? "embedded" : "qdrant");
  const held = secrets?.() ?? [];
  const embedder = embeddings === null ? null : createEmbedder({ ...embeddings, secrets: held });
  return {
    code: createCodeIndex({ store, embedder, warn }),
    experience: createExperience({ store, embedder, secrets: held, warn }),
    close: () => store.close(),
  };

  function onceOpened(open: () => Promise<PointStore>, kind: string): PointStore {
    return {
      kind,
      groups: async (...args) => (await open()).groups(...args),
      names: async (...args) => (await open()).names(...args),
      payloads: async (...args) => (await open()).payloads(...args),
      write: async (...args) => (await open()).write(...args),
      optimize: async (...args) => (await open()).optimize(...args),
      search: async (...args) => (await open()).search(...args),
      note: async (...args) => (await open()).note(...args),
      setNote: async (...args) => (await open()).setNote(...args),
      forget: async (...args) => (await open()).forget(...args),
      scopes: async (...args) => (await open()).scopes(...args),
      bytes: async () => (await open()).bytes(),
      close: async () => {
        if (opening !== null) await (await opening).close();
        opening = null;
      },
    };
  }
}
