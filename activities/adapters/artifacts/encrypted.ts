/**
 * A store over another one that encrypts what it is given. What was written before a key was set is read as it is; what
 * was encrypted, and can no longer be read, says which key it needs. Names stay readable: they hold ids only.
 */
import type { Artifacts } from "../../../domain/ports.ts";
import { createCipher, type EncryptionKey } from "./cipher.ts";

/** No text begins with these bytes, nor does a Git bundle. Then: length of the key's id, the id, nonce, content, tag. */
const MARK = Buffer.from([0x89, 0x4d, 0x57, 0x45, 0x4e, 0x43, 0x01]);

export function createEncryptedArtifacts(store: Artifacts, keys: readonly EncryptionKey[]): Artifacts {
  const cipher = createCipher(keys);
  function seal(key: string, content: Uint8Array): Uint8Array {
    if (keys.length === 0) return content;
    const { keyId, sealed } = cipher.seal(content, `Artifact ${key}`);
    const id = Buffer.from(keyId, "utf8");
    return Buffer.concat([MARK, Buffer.from([id.length]), id, sealed]);
  }

  return {
    ...store,
    put: async (key, content) => store.put(key, seal(key, content)),
    putIfAbsent: async (key, content) => store.putIfAbsent(key, seal(key, content)),

    async get(key) {
      const stored = await store.get(key);
      if (stored === null || !MARK.equals(stored.subarray(0, MARK.length))) return stored;
      const begin = MARK.length + 1;
      const end = begin + (stored[MARK.length] ?? 0);
      const keyId = Buffer.from(stored.subarray(begin, end)).toString("utf8");
      return new Uint8Array(cipher.open(keyId, stored.subarray(end), `Artifact ${key}`));
    },
  };
}
