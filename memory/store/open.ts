/** The store that the configuration names. Each is loaded only when it is the one. */
import type { PointStore } from "./store.ts";

export interface StoreConfig {
  /** The embedded store's file; used where `qdrant` is null. */
  file: string;
  qdrant: { url: string; apiKey: string | null } | null;
  /** How long another process that writes to the file is waited for. */
  busyMs?: number;
}

export async function openStore({ file, qdrant, busyMs }: StoreConfig): Promise<PointStore> {
  if (qdrant !== null) return (await import("./qdrant.ts")).openQdrantStore(qdrant);
  return (await import("./embedded.ts")).openEmbeddedStore(file, busyMs);
}
