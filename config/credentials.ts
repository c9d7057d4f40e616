/** How we prove to GitHub who we are: a token, or an App with its private key. */
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { GitHubAuth } from "./config.ts";
import type { EnvironmentReader } from "./environment-reader.ts";

export function readGitHubAuth(reader: EnvironmentReader, cwd: string): GitHubAuth | null {
  const token = reader.secret("GITHUB_TOKEN", "the token");
  const app = readApp(reader, cwd);
  if (app && token)
    reader.warnings.push("GITHUB_TOKEN and GITHUB_APP_ID are both set: the App is used, the token is not.");
  return app ?? (token ? { kind: "token", token } : null);
}

function readApp(reader: EnvironmentReader, cwd: string): GitHubAuth | null {
  const id = reader.text("GITHUB_APP_ID");
  const key = reader.text("GITHUB_APP_PRIVATE_KEY");
  if (id === null && key === null) return null;
  if (id === null)
    return reader.problem(
      "GITHUB_APP_ID",
      "it is missing, and GITHUB_APP_PRIVATE_KEY is set. Write the number from the App's settings page.",
    );
  if (!/^[1-9]\d{0,14}$/.test(id))
    return reader.problem(
      "GITHUB_APP_ID",
      `"${id.slice(0, 40)}" is not a number. Write the App ID (not the client id) from the App's settings page.`,
    );
  if (key === null)
    return reader.problem(
      "GITHUB_APP_PRIVATE_KEY",
      "it is missing, and GITHUB_APP_ID is set. Write the path of the .pem file, or its text.",
    );
  const read = readPrivateKey(key, cwd);
  return read.kind === "wrong"
    ? reader.problem("GITHUB_APP_PRIVATE_KEY", read.reason)
    : { kind: "app", appId: Number(id), privateKey: read.pem };
}

/** PEM text, PEM with `\n` written out (as it survives in a `.env` file), or the path of a PEM file. */
export function readPrivateKey(
  value: string,
  cwd: string,
): { kind: "key"; pem: string } | { kind: "wrong"; reason: string } {
  let pem = value;
  if (!value.includes("-----BEGIN")) {
    try {
      pem = readFileSync(resolve(cwd, value), "utf8");
    } catch (error) {
      // The value itself is not repeated: it may be half a key.
      return {
        kind: "wrong",
        reason: `it is neither a PEM text nor a readable file (${(error as NodeJS.ErrnoException).code ?? "unreadable"}). Write the path of the .pem file, or its text.`,
      };
    }
  }
  pem = `${pem.replaceAll("\\r", "").replaceAll("\\n", "\n").trim()}\n`;
  try {
    createPrivateKey(pem);
  } catch {
    return {
      kind: "wrong",
      reason: "it is not a private key in PEM form. Download the key again from the App's settings page.",
    };
  }
  return { kind: "key", pem };
}

/** PEM text, or the content of the file that is named. */
export function readPem(
  reader: EnvironmentReader,
  name: "TEMPORAL_TLS_CERT" | "TEMPORAL_TLS_KEY",
  cwd: string,
): Buffer | null {
  const value = reader.text(name);
  if (value === null) return null;
  if (value.includes("-----BEGIN")) return Buffer.from(value.replaceAll("\\n", "\n"));
  try {
    return readFileSync(resolve(cwd, value));
  } catch (error) {
    return reader.problem(
      name,
      `it is neither a PEM text nor a readable file (${(error as NodeJS.ErrnoException).code ?? "unreadable"}). Write the path of the .pem file, or its text.`,
    );
  }
}
