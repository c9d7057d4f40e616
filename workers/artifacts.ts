/** The artifact store that the configuration names, and what stands in it encrypted when there is a key. */
import { createEncryptedArtifacts } from "../activities/adapters/artifacts/encrypted.ts";
import { createFileArtifacts } from "../activities/adapters/artifacts/file.ts";
import { createS3Artifacts } from "../activities/adapters/artifacts/s3.ts";
import type { Config } from "../config/config.ts";
import { runPrefix } from "../domain/ids.ts";
import type { Artifacts } from "../domain/ports.ts";

export function createArtifacts(config: Pick<Config, "artifacts" | "payloadKeys">): Artifacts {
  return createEncryptedArtifacts(createPlainArtifacts(config), config.payloadKeys);
}

/** Tells whether what a run stored is still there: it is removed some time after its end, all together. */
export function keptIn(artifacts: Artifacts): (runKey: string) => Promise<boolean> {
  return async (runKey) => {
    for await (const _ of artifacts.list(runPrefix(runKey))) return true;
    return false;
  };
}

/** The same store for what is encrypted already: Temporal's payloads. */
export function createPlainArtifacts({ artifacts }: Pick<Config, "artifacts">): Artifacts {
  return artifacts.kind === "file" ? createFileArtifacts(artifacts.directory) : createS3Artifacts(artifacts);
}
