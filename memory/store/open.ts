/** The store that the configuration names. Each is loaded only when it is the one. */
import type { PointStore } from "./store.ts";
import { tellingTrouble } from "./trouble.ts";

export interface StoreConfig {
  /** The embedded store's file; used where `qdrant` is null. */
  file: string;
  qdrant: { url: string; apiKey: string | null; collection?: string | null } | null;
  /** How long another process that writes to the file is waited for. */
  busyMs?: number;
  /** Told once where the store is less than it should be. */
  warn?: (message: string) => void;
}

export async function openStore({ file, qdrant, busyMs, warn }: StoreConfig): Promise<PointStore> {
  if (qdrant !== null) return (await import("./qdrant.ts")).openQdrantStore({ ...qdrant, ...(warn ? { warn } : {}) });
  return tellingTrouble((await import("./embedded.ts")).openEmbeddedStore(file, busyMs), file);
}
