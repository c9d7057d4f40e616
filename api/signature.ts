/** `X-Hub-Signature-256`: who sent these bytes, judged before anything in them is read. */
import { createHmac, timingSafeEqual } from "node:crypto";

/** The webhook secrets that may sign for an account; `null` asks for all that are known. */
export type SecretsFor = (owner: string | null) => readonly string[];

/** An account with a secret of its own accepts only that one; all others accept the default. */
export function webhookSecrets(
  defaultSecret: string | null,
  byOwner: ReadonlyMap<string, string> = new Map(),
): SecretsFor {
  const ofAll = defaultSecret === null ? [] : [defaultSecret];
  const own = new Map([...byOwner].map(([owner, secret]) => [owner.toLowerCase(), secret]));
  return (owner) => {
    if (owner === null) return [...ofAll, ...own.values()];
    const secret = own.get(owner.toLowerCase());
    return secret === undefined ? ofAll : [secret];
  };
}

/** Those of the secrets that made this signature. Takes the same time whichever it is, or none. */
export function signersOf(body: Uint8Array, signature: string | undefined, secrets: readonly string[]): string[] {
  const given = Buffer.from(signature ?? "", "utf8");
  return secrets.filter((secret) => {
    const expected = Buffer.from(`sha256=${createHmac("sha256", secret).update(body).digest("hex")}`, "utf8");
    // The length of a signature is no secret; timingSafeEqual throws where lengths differ.
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
