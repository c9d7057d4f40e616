/** Reads single variables and collects what is wrong with them, so that everything is told at once. */
import { nearest } from "./suggest.ts";
import { ENVIRONMENT_NAMES, type Environment, type EnvironmentName } from "./environment.ts";

/** Reads as `null` what is not set (or empty, as compose files leave it) and what is wrong. */
export interface EnvironmentReader {
  readonly problems: string[];
  readonly warnings: string[];
  text(name: EnvironmentName): string | null;
  /** A key or token: printable, on one line. */
  secret(name: EnvironmentName, purpose: string): string | null;
  /** An http(s) address without a slash at its end. */
  url(name: EnvironmentName): string | null;
  choice<Word extends string>(
    name: EnvironmentName,
    words: readonly Word[],
    aliases?: Readonly<Record<string, Word>>,
  ): Word | null;
  problem(name: EnvironmentName, wrong: string): null;
}

export function createReader(env: Environment): EnvironmentReader {
  const problems: string[] = [];
  const warnings: string[] = [];

  const text = (name: EnvironmentName) => env[name]?.trim() || null;
  const problem = (name: EnvironmentName, wrong: string) => {
    problems.push(`${name}: ${wrong}`);
    return null;
  };

  warnings.push(...misspelt(env));
  return {
    problems,
    warnings,
    text,
    problem,
    secret(name, purpose) {
      const value = text(name);
      if (value === null || isHeaderSafe(value)) return value;
      return problem(
        name,
        `it holds spaces, line breaks or unprintable characters. Copy ${purpose} again, in one piece.`,
      );
    },
    url(name) {
      const value = text(name);
      if (value === null) return null;
      const wrong = wrongUrl(value);
      if (wrong) return problem(name, wrong);
      if (value.startsWith("http:") && !isLoopback(new URL(value).hostname)) {
        warnings.push(`${name} is not https: keys and tokens travel to ${new URL(value).host} unencrypted.`);
      }
      return value.replace(/\/+$/, "");
    },
    choice(name, words, aliases = {}) {
      const value = text(name)?.toLowerCase();
      if (value === undefined) return null;
      const word = words.find((known) => known === value) ?? (Object.hasOwn(aliases, value) ? aliases[value]! : null);
      if (word !== null) return word;
      const near = nearest(value, words);
      return problem(
        name,
        `"${value.slice(0, 40)}" is not known. ${near ? `Did you mean ${near}? ` : ""}Write one of ${words.join(", ")}.`,
      );
    },
  };
}

export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  return bare === "localhost" || bare === "::1" || /^127(\.\d{1,3}){3}$/.test(bare);
}

/** Can stand in an HTTP header as it is. */
export function isHeaderSafe(value: string): boolean {
  return /^[\x21-\x7e]+$/.test(value);
}

function wrongUrl(value: string): string | null {
  if (!URL.canParse(value)) return "this is not an address. Write it in full, such as https://example.com/api.";
  const url = new URL(value);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "the address must begin with https:// or http://.";
  if (url.search || url.hash) return "the address must end with its path: remove what follows ? or #.";
  return null;
}

/** Nobody else uses this prefix, so an unknown name is a slip. */
function misspelt(env: Environment): string[] {
  const unknown = Object.keys(env).filter(
    (name) =>
      name.startsWith("MERGEWRIGHT_") &&
      name !== "MERGEWRIGHT_CACHE" &&
      !(ENVIRONMENT_NAMES as readonly string[]).includes(name),
  );
  return unknown.map((name) => {
    const near = nearest(name, ENVIRONMENT_NAMES);
    return `${name} is set, but there is no such setting${near ? `: did you mean ${near}?` : "."}`;
  });
}
