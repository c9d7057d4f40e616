/** The artifact store that the configuration names, and what stands in it encrypted when there is a key. */
import { createEncryptedArtifacts } from "../activities/adapters/artifacts/encrypted.ts";
import { createFileArtifacts } from "../activities/adapters/artifacts/file.ts";
import { createS3Artifacts } from "../activities/adapters/artifacts/s3.ts";
import type { Config } from "../config/config.ts";
import type { Artifacts } from "../domain/ports.ts";

export function createArtifacts(config: Pick<Config, "artifacts" | "payloadKeys">): Artifacts {
  return createEncryptedArtifacts(createPlainArtifacts(config), config.payloadKeys);
}

/** The same store for what is encrypted already: Temporal's payloads. */
export function createPlainArtifacts({ artifacts }: Pick<Config, "artifacts">): Artifacts {
  return artifacts.kind === "file" ? createFileArtifacts(artifacts.directory) : createS3Artifacts(artifacts);
}
