/** What the memory commands need to know, and nothing else: they answer in less time than the whole configuration takes to load. */
import { join, resolve } from "node:path";
import { ConfigurationError } from "../domain/errors.ts";
import type { Config } from "./config.ts";
import { withDotEnv, type Environment } from "./environment.ts";
import { createReader } from "./environment-reader.ts";
import { namedLikeSecrets } from "./secrets.ts";
import { readEmbeddings, readQdrant } from "./services.ts";

export interface MemoryConfig {
  /** State directory, absolute. */
  home: string;
  /** The embedded store; used where `qdrant` is null. */
  file: string;
  qdrant: Config["qdrant"];
  embeddings: Config["embeddings"];
  /** As far as these commands can know them: what the environment names like one. */
  secrets(): string[];
}

/** Throws ConfigurationError with all problems. */
export function loadMemoryConfig({ env: given, cwd }: { env: Environment; cwd: string }): MemoryConfig {
  const { env, problems } = withDotEnv(given, cwd);
  const reader = createReader(env);
  const home = resolve(cwd, reader.text("MERGEWRIGHT_HOME") ?? ".mergewright");
  const config = {
    home,
    file: memoryFile(home),
    qdrant: readQdrant(reader),
    embeddings: readEmbeddings(reader),
    secrets: () => namedLikeSecrets(env),
  };
  const all = [...problems, ...reader.problems];
  if (all.length > 0) throw new ConfigurationError(all);
  return config;
}

/** Where the embedded store stands in the state folder. */
export function memoryFile(home: string): string {
  return join(home, "memory", "memory.db");
}
