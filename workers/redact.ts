/** Takes secrets out of what is written down: the ones that we hold, in the forms in which they travel, and all that look like one. */
import { redact } from "../domain/secrets.ts";

/** Shorter ones cannot be told from ordinary words. */
const MIN_LENGTH = 6;
/** An encoded form of a short secret would be found everywhere. */
const MIN_ENCODED_LENGTH = 8;

const IN_HEADER = /\b(bearer|basic|token)(\s+)(?=[\w.~+/=-]*[\d_.~+/=-])[\w.~+/=-]{12,}/gi;
const IN_URL = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@]{0,200}):[^\s/@]{1,2000}@/gi;

/** Compiled once for all lines. */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const forms = [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length);
  const known = forms.length > 0 ? new RegExp(forms.map(escapeForRegExp).join("|"), "g") : null;
  return (text) => {
    const unknown = known ? text.replace(known, "[redacted]") : text;
    return redact(unknown).replace(IN_HEADER, "$1$2[redacted]").replace(IN_URL, "$1:[redacted]@");
  };
}

/** The same in every text of a value: keys, nested objects and lists. */
export function redactDeep(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === "string") return clean(value);
  if (Array.isArray(value)) return value.map((item) => redactDeep(item, clean));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [clean(key), redactDeep(inner, clean)]));
}

function formsOf(secret: string): string[] {
  const value = secret.trim();
  // Whoever prints a key prints it line by line as well.
  const lines = value.includes("\n") ? value.split(/\r?\n/).filter((line) => line.length >= 32) : [];
  return [value, ...lines].flatMap((text) => {
    if (text.length < MIN_LENGTH) return [];
    if (text.length < MIN_ENCODED_LENGTH) return [text];
    const bytes = Buffer.from(text);
    const hex = bytes.toString("hex");
    return [
      text,
      encodeURIComponent(bytes.toString("utf8")),
      JSON.stringify(text).slice(1, -1),
      hex,
      hex.toUpperCase(),
      ...base64Of(bytes),
    ];
  });
}

/** Wherever the bytes begin in a longer text, these digits of its base64 depend on them alone. */
function base64Of(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const digits = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const core = digits.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

function escapeForRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
