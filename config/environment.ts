/** The one place where environment variables are read: those of the process, over those of a `.env` file. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The names that Mergewright knows; `.env.example` and design rest on them. */
export const ENVIRONMENT_NAMES = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_BASE_URL",
  "ANTHROPIC_MODEL",
  "GITHUB_TOKEN",
  "GITHUB_APP_ID",
  "GITHUB_APP_PRIVATE_KEY",
  "GITHUB_API_URL",
  "GITHUB_GRAPHQL_URL",
  "GITHUB_WEBHOOK_SECRET",
  "WEBHOOK_SECRET",
  "GITHUB_WRITE_SPACING_MS",
  "TEMPORAL_ADDRESS",
  "TEMPORAL_NAMESPACE",
  "TEMPORAL_API_KEY",
  "TEMPORAL_TLS_CERT",
  "TEMPORAL_TLS_KEY",
  "TEMPORAL_CLI",
  "TEMPORAL_UI_URL",
  "QDRANT_URL",
  "QDRANT_API_KEY",
  "QDRANT_COLLECTION",
  "EMBEDDINGS_URL",
  "EMBEDDINGS_MODEL",
  "EMBEDDINGS_API_KEY",
  "EXECUTION_MODE",
  "DOCKER_HOST",
  "DOCKER_IMAGE",
  "MEMORY_LIMIT",
  "CPU_LIMIT",
  "ARTIFACTS_URL",
  "S3_ENDPOINT",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_REGION",
  "HOST",
  "PORT",
  "LOG_LEVEL",
  "MERGEWRIGHT_HOME",
  "MERGEWRIGHT_CONFIG",
  "MERGEWRIGHT_PUBLIC_URL",
  "MERGEWRIGHT_API_TOKEN",
  "MERGEWRIGHT_PAYLOAD_KEY",
  "MERGEWRIGHT_RUNS_AT_ONCE",
] as const;
export type EnvironmentName = (typeof ENVIRONMENT_NAMES)[number];

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of this process, for a `main`; everything else is handed an {@link Environment}. */
export function processEnvironment(): Environment {
  return process.env;
}

/** `.env` in `cwd` under the given variables. Problems name the line; a missing file is fine. */
export function withDotEnv(env: Environment, cwd: string): { env: Environment; problems: string[] } {
  let text: string;
  try {
    text = readFileSync(join(cwd, ".env"), "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // A directory of this name is somebody's virtual environment.
    if (code === "ENOENT" || code === "EISDIR") return { env, problems: [] };
    return { env, problems: [`.env: it cannot be read (${code}). Correct its permissions, or remove it.`] };
  }
  const { values, problems } = parseDotEnv(text);
  const merged: Record<string, string | undefined> = { ...values };
  for (const [name, value] of Object.entries(env)) if (value !== undefined) merged[name] = value;
  return { env: merged, problems };
}

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[ \t]*(.*)$/;

/**
 * NAME=value, "quoted" (with \n, \" and \\, also over several lines), 'as it is', # comments, `export`. Node's own
 * `util.parseEnv` is not used: it takes a malformed line as part of the next name and tells nobody.
 */
export function parseDotEnv(text: string): { values: Record<string, string>; problems: string[] } {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  for (let number = 1; number <= lines.length; number++) {
    const line = lines[number - 1]!;
    if (/^\s*(#|$)/.test(line)) continue;
    const match = LINE.exec(line);
    if (!match) {
      problems.push(`.env:${number}:1: this line is not NAME=value. Correct it, or begin it with #.`);
      continue;
    }
    const [, name, first] = match as unknown as [string, string, string];
    const quote = /^["'`]/.exec(first)?.[0];
    if (!quote) {
      values[name] = first.replace(/(^|\s+)#.*$/, "").trimEnd();
      continue;
    }
    const opened = number;
    let quoted = first.slice(1);
    let end = closingQuote(quoted, quote);
    while (end < 0 && number < lines.length) {
      quoted += `\n${lines[number++]!}`;
      end = closingQuote(quoted, quote);
    }
    if (end < 0) {
      problems.push(`.env:${opened}:1: the quotation mark after ${name}= is never closed. Close it.`);
      break;
    }
    const inner = quoted.slice(0, end);
    values[name] = quote === '"' ? inner.replace(/\\([nrt"\\])/g, (_, escaped: string) => ESCAPES[escaped]!) : inner;
  }
  return { values, problems };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

function closingQuote(text: string, quote: string): number {
  for (let index = 0; index < text.length; index++) {
    if (quote === '"' && text[index] === "\\") index++;
    else if (text[index] === quote) return index;
  }
  return -1;
}
