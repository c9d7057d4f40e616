/**
 * Secrets in text that is about to leave: by the shape of common tokens, and by the worker's own, in the encodings by
 * which they are usually carried out. Says what and where, never the secret itself.
 */
export interface SecretFinding {
  /** `github-token`, `private-key`, ...; `known-secret` for one that the worker itself holds. */
  kind: string;
  /** Position in the text, in UTF-16 units. */
  index: number;
  length: number;
}

/** Shapes are those that their issuers document; each expression is linear in the length of the text. */
const SHAPES: readonly { kind: string; pattern: RegExp }[] = [
  // Installation tokens since 2026: ghs_APPID_JWT, with dots and about 520 characters.
  {
    kind: "github-token",
    pattern: /\bghs_\d{1,20}_[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{2,4000}(?:\.[A-Za-z0-9_-]{2,2000})?/g,
  },
  { kind: "github-token", pattern: /\bgh[pousr]_[A-Za-z0-9]{30,255}/g },
  { kind: "github-token", pattern: /\bgithub_pat_[A-Za-z0-9_]{22,255}/g },
  { kind: "anthropic-key", pattern: /\bsk-ant-[A-Za-z0-9_-]{16,255}/g },
  { kind: "openai-key", pattern: /\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,255}/g },
  { kind: "aws-key", pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  { kind: "google-key", pattern: /\bAIza[0-9A-Za-z_-]{35}/g },
  {
    kind: "slack-token",
    pattern: /\bxox[abeoprs]-(?=[A-Za-z-]{0,20}\d)[A-Za-z0-9-]{10,255}|\bxapp-\d-[A-Za-z0-9-]{10,255}/g,
  },
  { kind: "slack-webhook", pattern: /\bhooks\.slack\.com\/(?:services|workflows)\/[A-Za-z0-9/_-]{20,255}/g },
  { kind: "stripe-key", pattern: /\b[sr]k_live_[0-9A-Za-z]{16,255}/g },
  { kind: "npm-token", pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { kind: "gitlab-token", pattern: /\bglpat-[A-Za-z0-9_-]{20,255}/g },
  { kind: "private-key", pattern: /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g },
];

/** Shorter values would be found in innocent text; nothing real is that short. */
const MIN_KNOWN_LENGTH = 8;

/** @param known secrets that the worker holds; found plain, in base64 (at any alignment), hexadecimal and URL encoding. */
export function findSecrets(text: string, known: readonly string[] = []): SecretFinding[] {
  const found: SecretFinding[] = [];
  const add = (finding: SecretFinding) => {
    const overlaps = found.some((f) => finding.index < f.index + f.length && f.index < finding.index + finding.length);
    if (!overlaps) found.push(finding);
  };
  for (const needle of needles(known)) {
    const haystack = needle.anyCase ? text.toLowerCase() : text;
    for (let at = haystack.indexOf(needle.text); at >= 0; at = haystack.indexOf(needle.text, at + needle.text.length)) {
      add({ kind: "known-secret", index: at, length: needle.text.length });
    }
  }
  for (const { kind, pattern } of SHAPES) {
    for (const match of text.matchAll(pattern)) add({ kind, index: match.index, length: match[0].length });
  }
  return found.sort((a, b) => a.index - b.index);
}

/** The text with each secret replaced by `[redacted: KIND]`; a private key up to its end, or to the end of the text. */
export function redact(text: string, known: readonly string[] = []): string {
  return replaced(text, known, () => "");
}

/** The same, and each line keeps its number: for a text that is cut by lines afterwards, of which a piece would not show what it holds. */
export function redactInPlace(text: string, known: readonly string[] = []): string {
  return replaced(text, known, (secret) => secret.replace(/[^\n]+/g, ""));
}

function replaced(text: string, known: readonly string[], also: (secret: string) => string): string {
  let result = "";
  let from = 0;
  for (const { kind, index, length } of findSecrets(text, known)) {
    if (index < from) continue;
    const end = kind === "private-key" ? endOfKey(text, index + length) : index + length;
    result += `${text.slice(from, index)}[redacted: ${kind}]${also(text.slice(index, end))}`;
    from = end;
  }
  return result + text.slice(from);
}

function endOfKey(text: string, from: number): number {
  const end = /-----END [A-Z0-9 ]{0,80}-----/g;
  end.lastIndex = from;
  const match = end.exec(text);
  return match ? match.index + match[0].length : text.length;
}

interface Needle {
  text: string;
  anyCase: boolean;
}

/** Longest first, so that the whole of an encoded form is taken and not only the part that another form shares. */
function needles(known: readonly string[]): Needle[] {
  const all: Needle[] = [];
  for (const secret of new Set(known.flatMap((value) => [value, value.trim()]))) {
    if (secret.length < MIN_KNOWN_LENGTH) continue;
    const bytes = new TextEncoder().encode(secret);
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
    all.push({ text: secret, anyCase: false });
    all.push({ text: hex.join(""), anyCase: true });
    all.push({ text: hex.map((pair) => `%${pair}`).join(""), anyCase: true });
    all.push({ text: encodeUrl(secret), anyCase: false });
    all.push({ text: JSON.stringify(secret).slice(1, -1), anyCase: false });
    for (const core of base64Cores(bytes)) {
      all.push({ text: core, anyCase: false });
      all.push({ text: core.replaceAll("+", "-").replaceAll("/", "_"), anyCase: false });
    }
  }
  const unique = new Map(all.map((needle) => [needle.text, needle]));
  return [...unique.values()].sort((a, b) => b.text.length - a.text.length);
}

/** `encodeURIComponent` throws on a lone surrogate; a secret that holds one cannot be in a URL. */
function encodeUrl(secret: string): string {
  return /[\ud800-\udfff]/.test(secret) ? secret : encodeURIComponent(secret);
}

/** What base64 makes of the bytes wherever they begin in a longer text: the digits that depend on them alone. */
function base64Cores(bytes: Uint8Array): string[] {
  return [0, 1, 2].map((offset) => {
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor(((offset + bytes.length) * 8) / 6);
    return base64(new Uint8Array([...new Uint8Array(offset), ...bytes])).slice(first, last);
  });
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** By hand: neither Buffer nor btoa exists in workflow code. Without padding. */
function base64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const digits = Math.min(4, bytes.length - i + 1);
    for (let d = 0; d < digits; d++) text += DIGITS[(group >> (18 - 6 * d)) & 63];
  }
  return text;
}
