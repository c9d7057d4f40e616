/** Encrypts Temporal's payloads. One that is not encrypted is read as it is: from before a key was set, or from a person's terminal. */
import type { Payload, PayloadCodec } from "@temporalio/common";
import proto from "@temporalio/proto";
import { createCipher, type EncryptionKey } from "../../activities/adapters/artifacts/cipher.ts";

const PayloadProto = proto.temporal.api.common.v1.Payload;

/** As Temporal's own examples have it, so that tools show what it is. */
const ENCODING = "binary/encrypted";
const KEY_ID = "encryption-key-id";
/** The data begins with the nonce and ends with the tag; these metadata are authenticated with it. */
const ABOUT = "A Temporal payload";

export function createPayloadCodec(keys: readonly EncryptionKey[]): PayloadCodec {
  const cipher = createCipher(keys);
  return {
    encode: async (payloads) => (keys.length === 0 ? payloads : payloads.map(encrypt)),
    decode: async (payloads) => payloads.map((payload) => (isEncrypted(payload) ? decrypt(payload) : payload)),
  };

  function encrypt(payload: Payload): Payload {
    const { keyId, sealed } = cipher.seal(PayloadProto.encode(payload).finish(), ABOUT);
    return { metadata: { encoding: bytes(ENCODING), [KEY_ID]: bytes(keyId) }, data: sealed };
  }

  /** @throws CannotDecrypt with the key's id. */
  function decrypt({ metadata, data }: Payload): Payload {
    const keyId = text(metadata?.[KEY_ID]);
    return PayloadProto.decode(cipher.open(keyId, data ?? new Uint8Array(), ABOUT));
  }
}

function isEncrypted({ metadata }: Payload): boolean {
  return text(metadata?.["encoding"]) === ENCODING;
}

function bytes(value: string): Uint8Array {
  return Buffer.from(value, "utf8");
}

function text(value: Uint8Array | null | undefined): string {
  return value ? Buffer.from(value).toString("utf8") : "";
}
