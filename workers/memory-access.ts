/** The memory of this process: opened when somebody first asks, so that starting needs no store. */
import { memoryFile } from "../config/memory.ts";
import type { Config } from "../config/config.ts";
import type { CodeIndex } from "../domain/ports.ts";
import { createCodeIndex } from "../memory/code/code-index.ts";
import { createEmbedder } from "../memory/dense/embedder.ts";
import { openStore } from "../memory/store/open.ts";
import type { PointStore } from "../memory/store/store.ts";

export interface MemoryAccess {
  code(): Promise<CodeIndex>;
  close(): Promise<void>;
}

export function memoryAccess(config: Pick<Config, "home" | "qdrant" | "embeddings">): MemoryAccess {
  let opening: Promise<{ store: PointStore; code: CodeIndex }> | null = null;
  const open = () => {
    opening ??= openAll(config);
    // What failed is tried again by the next who asks.
    opening.catch(() => (opening = null));
    return opening;
  };
  return {
    code: async () => (await open()).code,
    async close() {
      await opening?.then(
        ({ store }) => store.close(),
        () => undefined,
      );
    },
  };
}

async function openAll({ home, qdrant, embeddings }: Pick<Config, "home" | "qdrant" | "embeddings">) {
  const store = await openStore({ file: memoryFile(home), qdrant });
  const embedder = embeddings ? createEmbedder(embeddings) : null;
  return { store, code: createCodeIndex({ store, embedder }) };
}
