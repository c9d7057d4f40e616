import { describe, expect, it } from "vitest";
import { findSecrets, redact } from "../../domain/secrets.ts";

// Put together here, so that no scanner takes this file for a leak.
const join = (...parts: string[]) => parts.join("");
const jwt = join("eyJhbGciOiJSUzI1NiJ9", ".", "eyJpc3MiOiIxMjM0NTYifQ".repeat(20), ".", "c2lnbmF0dXJl".repeat(5));

describe("a secret is known by its shape", () => {
  it.each([
    ["github-token", join("gh", "p_", "a1B2".repeat(9))],
    ["github-token", join("gh", "o_", "a1B2".repeat(9))],
    ["github-token", join("gh", "s_", "a1B2".repeat(9))],
    ["github-token", join("gh", "s_", "1234567_", jwt)],
    ["github-token", join("github", "_pat_", "11ABCDEFG0", "x".repeat(60))],
    ["anthropic-key", join("sk-", "ant-api03-", "Ab_-".repeat(20))],
    ["aws-key", join("AK", "IA", "ABCDEFGHIJKLMNOP")],
    ["slack-token", join("xox", "b-123456789012-abcdefghij")],
    ["slack-webhook", join("https://hooks.slack", ".com/services/T000/B000/", "x".repeat(20))],
    ["google-key", join("AI", "za", "x".repeat(35))],
    ["private-key", join("-----BEGIN RSA ", "PRIVATE KEY-----")],
    ["private-key", join("-----BEGIN ", "PRIVATE KEY-----")],
    ["private-key", join("-----BEGIN PGP ", "PRIVATE KEY BLOCK-----")],
  ])("%s", (kind, secret) => {
    const found = findSecrets(`before "${secret}" after`);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ kind });
    expect(JSON.stringify(found)).not.toContain(secret);
    expect(redact(`before "${secret}" after`)).not.toContain(secret.slice(0, 30));
  });

  it("covers the whole of a long dotted token", () => {
    const token = join("gh", "s_", "1234567_", jwt);
    expect(redact(`token=${token};`)).toBe("token=[redacted: github-token];");
  });

  it.each([
    "ghp_short",
    "AKIA1234",
    "sk-ant-",
    "-----BEGIN PUBLIC KEY-----",
    "a ghost_story_about_nothing",
    "xoxo-love-and-kisses",
  ])("%s is none", (text) => expect(findSecrets(text)).toEqual([]));
});

describe("a secret that the worker holds", () => {
  const secret = 'p/ä+ss "w0rd"?&=';
  const base64 = Buffer.from(secret).toString("base64");
  it.each([
    ["plain", secret],
    ["base64", base64],
    ["base64 inside a longer text, at offset 1", Buffer.from(`x${secret}yz`).toString("base64")],
    ["base64 inside a longer text, at offset 2", Buffer.from(`xy${secret}z`).toString("base64")],
    ["base64 for addresses", Buffer.from(secret).toString("base64url")],
    ["hexadecimal", Buffer.from(secret).toString("hex")],
    ["HEXADECIMAL", Buffer.from(secret).toString("hex").toUpperCase()],
    ["an address", encodeURIComponent(secret)],
    ["JSON", JSON.stringify(secret)],
  ])("is found as %s", (_, text) => {
    expect(findSecrets(`a ${text} b`, [secret]).map((finding) => finding.kind)).toEqual(["known-secret"]);
    expect(findSecrets(`a ${text} b`)).toEqual([]);
  });

  it("is not looked for when it is empty or too short to be one", () => {
    expect(redact("a b c", ["", " ", "a"])).toBe("a b c");
  });

  it("is replaced everywhere, and a private key up to its end", () => {
    const key = join("-----BEGIN EC ", "PRIVATE KEY-----\nMHc\nCAQ\n-----END EC ", "PRIVATE KEY-----");
    expect(redact(`1 ${secret} 2 ${secret} 3\n${key}\n4`, [secret])).toBe(
      "1 [redacted: known-secret] 2 [redacted: known-secret] 3\n[redacted: private-key]\n4",
    );
  });

  it("is found at once in a megabyte", () => {
    const began = Date.now();
    findSecrets("ghs_1_".repeat(100_000) + "-----BEGIN ".repeat(50_000), [secret]);
    expect(Date.now() - began).toBeLessThan(3000);
  });
});
