import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { EncryptionKey } from "../../activities/adapters/artifacts/cipher.ts";
import { createEncryptedArtifacts } from "../../activities/adapters/artifacts/encrypted.ts";
import { createFileArtifacts } from "../../activities/adapters/artifacts/file.ts";
import { CannotDecrypt } from "../../domain/errors.ts";
import { artifactsContract } from "./contract.ts";

const root = mkdtempSync(join(tmpdir(), "artifacts-test-"));
let folders = 0;
const fresh = () => join(root, String(++folders));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const key = (id: string): EncryptionKey => ({ id, key: randomBytes(32) });
const [first, second] = [key("first"), key("second")];
const text = Buffer.from("the words of a customer");

artifactsContract("an encrypted store", async () => createEncryptedArtifacts(createFileArtifacts(fresh()), [first]));

it("nothing of an encrypted artifact can be read on the disk, and the same content never looks the same", async () => {
  const dir = fresh();
  const store = createEncryptedArtifacts(createFileArtifacts(dir), [first]);
  await store.put("a", text);
  await store.put("b", text);
  const [a, b] = [readFileSync(join(dir, "a")), readFileSync(join(dir, "b"))];
  expect(a.includes("customer")).toBe(false);
  expect(a.includes("first")).toBe(true);
  expect(a.subarray(-text.length).equals(b.subarray(-text.length))).toBe(false);
});

it("after a rotation the new key encrypts, and what the old one encrypted is still read", async () => {
  const dir = fresh();
  await createEncryptedArtifacts(createFileArtifacts(dir), [first]).put("old", text);
  const store = createEncryptedArtifacts(createFileArtifacts(dir), [second, first]);
  await store.put("new", text);
  expect(Buffer.from((await store.get("old"))!)).toEqual(text);
  expect(Buffer.from((await store.get("new"))!)).toEqual(text);
  expect(readFileSync(join(dir, "new")).includes("second")).toBe(true);
});

it("what was written before a key was set is read as it is", async () => {
  const plain = createFileArtifacts(fresh());
  await plain.put("a", text);
  expect(Buffer.from((await createEncryptedArtifacts(plain, [first]).get("a"))!)).toEqual(text);
});

it.each([
  ["no key", [], /with the key first, which is not here \(no key is set here\)/],
  ["another key", [second], /with the key first, which is not here \(set here: second\)/],
  ["another key of the same name", [{ ...second, id: "first" }], /cannot be decrypted with the key first/],
])("with %s an encrypted artifact says which one it needs", async (_, keys, message) => {
  const plain = createFileArtifacts(fresh());
  await createEncryptedArtifacts(plain, [first]).put("a", text);
  const read = createEncryptedArtifacts(plain, keys).get("a");
  await expect(read).rejects.toThrow(CannotDecrypt);
  await expect(read).rejects.toThrow(message);
});

it("an artifact that was changed, cut, or put under another name is refused", async () => {
  const plain = createFileArtifacts(fresh());
  const store = createEncryptedArtifacts(plain, [first]);
  await store.put("a", text);
  const stored = (await plain.get("a"))!;
  await plain.put("b", stored);
  await plain.put("cut", stored.subarray(0, stored.length - 30));
  const changed = stored.slice();
  changed[changed.length - 20]! ^= 1;
  await plain.put("changed", changed);
  for (const name of ["b", "cut", "changed"]) await expect(store.get(name)).rejects.toThrow(CannotDecrypt);
});
