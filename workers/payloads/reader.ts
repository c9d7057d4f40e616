/** Payloads for people: fetched from the artifact store where they are only named, and decrypted. */
import type { Payload } from "@temporalio/common";
import { StorageDriverClaim } from "@temporalio/common/lib/converter/extstore.js";
import proto from "@temporalio/proto";
import type { PayloadReader } from "../../api/codec.ts";
import { RequestRefused } from "../../domain/errors.ts";
import { dataConverterFor, type PayloadConfig } from "./data-converter.ts";

const PayloadProto = proto.temporal.api.common.v1.Payload;

/** As the SDK writes it into a history. */
const REFERENCE = "temporal.api.sdk.v1.ExternalStorageReference";

export function payloadReader(config: PayloadConfig): PayloadReader {
  const { payloadCodecs, externalStorage } = dataConverterFor(config);
  const [codec] = payloadCodecs;

  async function fetched(payload: Payload): Promise<Payload> {
    if (text(payload.metadata?.["messageType"]) !== REFERENCE) return payload;
    const reference = JSON.parse(text(payload.data)) as { driverName?: string; claimData?: Record<string, string> };
    const driver = externalStorage.getDriver(reference.driverName ?? "");
    // Another program's: shown as it is.
    if (driver === null) return payload;
    const [found] = await driver.retrieve({}, [new StorageDriverClaim(reference.claimData ?? {})]);
    return found!;
  }

  return {
    async decode(payloads) {
      const stored = await Promise.all(payloads.map((payload) => fetched(fromJson(payload))));
      return (await codec!.decode(stored)).map(toJson);
    },
    async encode(payloads) {
      return (await codec!.encode(payloads.map(fromJson))).map(toJson);
    },
  };
}

function fromJson(value: unknown): Payload {
  try {
    return PayloadProto.fromObject(value as Record<string, unknown>);
  } catch (error) {
    throw new RequestRefused("the codec server", 400, `This is no payload: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function toJson(payload: Payload): unknown {
  return PayloadProto.toObject(PayloadProto.fromObject(payload), { bytes: String, longs: String });
}

function text(value: Uint8Array | null | undefined): string {
  return value ? Buffer.from(value).toString("utf8") : "";
}
