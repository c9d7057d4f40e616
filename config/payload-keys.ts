/**
 * MERGEWRIGHT_PAYLOAD_KEY: `KEY`, or `ID:KEY,ID:KEY,...`, of which the first encrypts and all decrypt. A key is 32 bytes
 * as base64 or hex; any other text of 32 characters or more is made into one. A key without an id gets one from itself.
 */
import { createHash, scryptSync } from "node:crypto";
import type { PayloadKey } from "./config.ts";
import type { EnvironmentReader } from "./environment-reader.ts";

const NAME = "MERGEWRIGHT_PAYLOAD_KEY";
const MIN_CHARACTERS = 32;
const WITH_ID = /^([A-Za-z0-9._-]{1,40}):(.*)$/;

export function readPayloadKeys(reader: EnvironmentReader): PayloadKey[] {
  const value = reader.secret(NAME, "the key");
  if (value === null) return [];
  const keys: PayloadKey[] = [];
  for (const part of value.split(",")) {
    const named = WITH_ID.exec(part);
    const written = named ? named[2]! : part;
    if (written.length < MIN_CHARACTERS) {
      const which = named ? `the key ${named[1]}` : "it";
      reader.problem(NAME, `${which} is too short to be a key. Make one of 32 bytes: openssl rand -base64 32.`);
      continue;
    }
    const key = bytesOf(written);
    const id = named ? named[1]! : idOf(key);
    if (keys.some((known) => known.id === id)) reader.problem(NAME, `the id ${id} is there twice. Name each key once.`);
    else keys.push({ id, key, written });
  }
  return keys;
}

function bytesOf(text: string): Buffer {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex");
  // Node reads base64url, too.
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return Buffer.from(text, "base64");
  // Words can be guessed: each guess shall cost some 50 ms.
  return scryptSync(text, "mergewright payload key", 32);
}

function idOf(key: Buffer): string {
  return `key-${createHash("sha256").update("mergewright key id\0").update(key).digest("hex").slice(0, 8)}`;
}
