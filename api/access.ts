/** Who is asking: the bearer of the API token, somebody who logged in with it, or nobody. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

export interface Access {
  /** False when no API token is set: everybody may look, nobody may change. */
  readonly guarded: boolean;
  isToken(given: string): boolean;
  /** The value of the session cookie for this login. */
  openSession(login: string): string;
  /** The login of a session that is ours and has not run out, or null. */
  readSession(value: string | undefined): Session | null;
  readonly sessionSeconds: number;
}

export interface Session {
  login: string;
  /** Goes into each form: a page elsewhere can send a form, but cannot know this. */
  formKey: string;
}

/** A working day. */
const SESSION_SECONDS = 12 * 60 * 60;

export function createAccess(apiToken: string | null, now: () => Date): Access {
  // Derived from the token, so that a new token ends all sessions, and no session tells the token.
  const key = createHmac("sha256", apiToken ?? "")
    .update("mergewright session")
    .digest();
  const sign = (purpose: string, text: string) =>
    createHmac("sha256", key).update(`${purpose}:${text}`).digest("base64url");

  return {
    guarded: apiToken !== null,
    sessionSeconds: SESSION_SECONDS,
    isToken: (given) => apiToken !== null && sameText(given, apiToken),

    openSession(login) {
      const expires = Math.floor(now().getTime() / 1000) + SESSION_SECONDS;
      const text = `${Buffer.from(login, "utf8").toString("base64url")}.${expires}`;
      return `${text}.${sign("session", text)}`;
    },

    readSession(value) {
      const parts = /^([\w-]{1,200})\.(\d{1,12})\.([\w-]{43})$/.exec(value ?? "");
      if (apiToken === null || !parts) return null;
      const [, login = "", expires = "", signature = ""] = parts;
      if (!sameText(signature, sign("session", `${login}.${expires}`))) return null;
      if (Number(expires) * 1000 <= now().getTime()) return null;
      return { login: Buffer.from(login, "base64url").toString("utf8"), formKey: sign("form", `${login}.${expires}`) };
    },
  };
}

/** Compares in a time that depends on neither text. */
export function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text, "utf8").digest();
  return timingSafeEqual(digest(a), digest(b));
}
