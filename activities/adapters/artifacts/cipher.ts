/** AES-256-GCM under named keys: the first one encrypts, all of them decrypt. For artifacts and Temporal's payloads alike. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { CannotDecrypt } from "../../../domain/errors.ts";

export interface EncryptionKey {
  id: string;
  /** 32 bytes. */
  key: Uint8Array;
}

export interface Cipher {
  /** Encrypts under the first key. `about` says what it is; whoever opens it must say the same. */
  seal(plain: Uint8Array, about: string): { keyId: string; sealed: Uint8Array };
  /** @throws CannotDecrypt when the key is not set here, or when it is not what was sealed about this. */
  open(keyId: string, sealed: Uint8Array, about: string): Uint8Array;
}

/** 96 random bits, as GCM wants them: safe for four billion messages under one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Without keys nothing can be sealed or opened; what is opened is still named in the error. */
export function createCipher(keys: readonly EncryptionKey[]): Cipher {
  const byId = new Map(keys.map(({ id, key }) => [id, key]));
  return {
    seal(plain, about) {
      const [first] = keys;
      if (!first) throw new CannotDecrypt("", "There is no key to encrypt with. Set MERGEWRIGHT_PAYLOAD_KEY.");
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", first.key, nonce).setAAD(authenticated(first.id, about));
      const content = Buffer.concat([cipher.update(plain), cipher.final()]);
      return { keyId: first.id, sealed: Buffer.concat([nonce, content, cipher.getAuthTag()]) };
    },

    open(keyId, sealed, about) {
      const key = byId.get(keyId);
      if (!key) {
        const set = keys.length === 0 ? "no key is set here" : `set here: ${keys.map(({ id }) => id).join(", ")}`;
        throw new CannotDecrypt(
          keyId,
          `${about} was encrypted with the key ${keyId}, which is not here (${set}). Add it to MERGEWRIGHT_PAYLOAD_KEY, after the one that encrypts.`,
        );
      }
      try {
        if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new Error("it is too short");
        const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(authenticated(keyId, about)).setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
        const content = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
        return Buffer.concat([content, decipher.final()]);
      } catch (error) {
        throw new CannotDecrypt(
          keyId,
          `${about} cannot be decrypted with the key ${keyId}: the key of this name is another one, or the content was changed. Correct MERGEWRIGHT_PAYLOAD_KEY.`,
          { cause: error },
        );
      }
    },
  };
}

/** What is not secret but must not be changed either: under which key, and what it is. */
function authenticated(keyId: string, about: string): Uint8Array {
  return Buffer.from(`mergewright 1\0${keyId}\0${about}`, "utf8");
}
