/**
 * How values become Temporal payloads and back, for every client and worker of ours: encrypted when a key is set, then,
 * if they are large, put into the artifact store with a reference in the history. So what lies in the store is encrypted, too.
 */
import { fileURLToPath } from "node:url";
import type { DataConverter } from "@temporalio/common";
import { ExternalStorage } from "@temporalio/common/lib/converter/extstore.js";
import type { Config } from "../../config/config.ts";
import type { Artifacts } from "../../domain/ports.ts";
import { createPlainArtifacts } from "../artifacts.ts";
import { createPayloadCodec } from "./codec.ts";
import { artifactsDriver, s3Driver } from "./drivers.ts";

export type PayloadConfig = Pick<Config, "artifacts" | "payloadKeys" | "inlinePayloadBytes">;

/** Messages and stack traces of errors as payloads, so that they are encrypted, too. For workflow bundles as well. */
export const encodedFailures = fileURLToPath(new URL("failure-converter.cjs", import.meta.url));

export function failureConverterFor({ payloadKeys }: Pick<Config, "payloadKeys">): string | null {
  return payloadKeys.length > 0 ? encodedFailures : null;
}

/** @param store where large payloads go; the one that the configuration names. */
export function dataConverterFor(
  config: PayloadConfig,
  store: Artifacts = createPlainArtifacts(config),
): Required<Pick<DataConverter, "payloadCodecs" | "externalStorage">> & DataConverter {
  const failureConverterPath = failureConverterFor(config);
  const [file, s3] = [artifactsDriver(store), s3Driver(store)];
  const chosen = config.artifacts.kind === "s3" ? s3 : file;
  return {
    payloadCodecs: [createPayloadCodec(config.payloadKeys)],
    externalStorage: new ExternalStorage({
      // Both read from the one store: a folder that was copied into a bucket is still found, and the other way round.
      drivers: [file, s3],
      driverSelector: () => chosen,
      payloadSizeThreshold: config.inlinePayloadBytes,
    }),
    ...(failureConverterPath === null ? {} : { failureConverterPath }),
  };
}
