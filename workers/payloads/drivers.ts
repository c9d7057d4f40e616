/** Large payloads in the artifact store: our driver for files, and Temporal's own for S3, over the same store. */
import { createHash } from "node:crypto";
import type { Payload } from "@temporalio/common";
import { StorageDriverClaim, type StorageDriver } from "@temporalio/common/lib/converter/extstore.js";
import { S3StorageDriver } from "@temporalio/external-storage-s3";
import proto from "@temporalio/proto";
import { ArtifactMissing } from "../../domain/errors.ts";
import type { Artifacts } from "../../domain/ports.ts";
import { payloadKey, storeKey } from "./keys.ts";

const PayloadProto = proto.temporal.api.common.v1.Payload;

/** In the histories for as long as they live: never to be changed. */
const FILE_DRIVER = "mergewright.artifacts";
const S3_DRIVER = "mergewright.s3";

export function artifactsDriver(store: Artifacts): StorageDriver {
  return {
    name: FILE_DRIVER,
    type: FILE_DRIVER,
    store: (context, payloads) =>
      Promise.all(
        payloads.map(async (payload) => {
          const content = PayloadProto.encode(payload).finish();
          const sha256 = digestOf(content);
          const key = payloadKey(context.target, sha256);
          await store.put(key, content);
          return new StorageDriverClaim({ key, sha256 });
        }),
      ),
    retrieve: (_context, claims) => Promise.all(claims.map(({ claimData }) => fetch(store, claimData))),
  };
}

async function fetch(store: Artifacts, { key = "", sha256 }: Record<string, string>): Promise<Payload> {
  const content = await read(store, key);
  if (digestOf(content) !== sha256)
    throw new Error(`The payload ${key} is not what was stored: its digest is another.`);
  return PayloadProto.decode(content);
}

/** The bucket stands in the address of the store: a history that moved with its bucket is read from the new one. */
export function s3Driver(store: Artifacts): StorageDriver {
  return new S3StorageDriver({
    driverName: S3_DRIVER,
    bucket: "artifacts",
    client: {
      putObject: (_bucket, key, content) => store.put(storeKey(key), content),
      // Named by its digest, it may be put again; asking first would cost every payload a request more.
      objectExists: async () => false,
      getObject: (_bucket, key) => read(store, storeKey(key)),
    },
  });
}

async function read(store: Artifacts, key: string): Promise<Uint8Array> {
  const content = await store.get(key);
  if (content === null) throw new ArtifactMissing(key);
  return content;
}

function digestOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
