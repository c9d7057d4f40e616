/** The outside services, each from its variables. */
import { availableParallelism } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ArtifactsConfig, Config, ExecutionConfig, TemporalConfig } from "./config.ts";
import { readPem } from "./credentials.ts";
import { isLoopback, type EnvironmentReader } from "./environment-reader.ts";

const PUBLIC_API = "https://api.github.com";

export function readGitHubUrls(reader: EnvironmentReader): { apiUrl: string; graphqlUrl: string } {
  const apiUrl = reader.url("GITHUB_API_URL") ?? PUBLIC_API;
  return { apiUrl, graphqlUrl: reader.url("GITHUB_GRAPHQL_URL") ?? graphqlUrlOf(apiUrl) };
}

/** `/graphql` beside the REST routes; GitHub Enterprise Server has REST under `/api/v3` and GraphQL under `/api/graphql`. */
function graphqlUrlOf(apiUrl: string): string {
  return apiUrl.endsWith("/api/v3") ? apiUrl.replace(/\/v3$/, "/graphql") : `${apiUrl}/graphql`;
}

/** Faster than GitHub asks only where it is not GitHub that is asked: a server of one's own, or a played one. */
export function readWriteSpacing(reader: EnvironmentReader): number | null {
  const value = reader.text("GITHUB_WRITE_SPACING_MS");
  if (value === null) return null;
  if (/^\d{1,6}$/.test(value)) return Number(value);
  return reader.problem(
    "GITHUB_WRITE_SPACING_MS",
    `"${value.slice(0, 40)}" is not a number of milliseconds. Write one such as 1000.`,
  );
}

export function readTemporal(reader: EnvironmentReader, cwd: string): TemporalConfig {
  const crt = readPem(reader, "TEMPORAL_TLS_CERT", cwd);
  const key = readPem(reader, "TEMPORAL_TLS_KEY", cwd);
  if (crt && !reader.text("TEMPORAL_TLS_KEY"))
    reader.problem(
      "TEMPORAL_TLS_KEY",
      "it is missing, and TEMPORAL_TLS_CERT is set. A client certificate needs its key.",
    );
  if (key && !reader.text("TEMPORAL_TLS_CERT"))
    reader.problem(
      "TEMPORAL_TLS_CERT",
      "it is missing, and TEMPORAL_TLS_KEY is set. A client key needs its certificate.",
    );
  const apiKey = reader.secret("TEMPORAL_API_KEY", "the API key");
  return {
    address: readTemporalAddress(reader),
    webUi: reader.url("TEMPORAL_UI_URL"),
    namespace: reader.text("TEMPORAL_NAMESPACE") ?? "default",
    apiKey,
    // Temporal Cloud takes API keys over TLS only.
    tls: crt && key ? { clientCertPair: { crt, key } } : apiKey !== null,
    cli: reader.text("TEMPORAL_CLI"),
  };
}

function readTemporalAddress(reader: EnvironmentReader): string | null {
  const value = reader.text("TEMPORAL_ADDRESS");
  if (value === null) return null;
  const match = /^(\[[0-9a-f:.]+\]|[^\s/:[\]]+)(?::(\d{1,5}))?$/i.exec(value);
  if (!match)
    return reader.problem(
      "TEMPORAL_ADDRESS",
      `"${value.slice(0, 60)}" is not host:port. Write it without http://, such as temporal.example.com:7233.`,
    );
  const port = Number(match[2] ?? 7233);
  if (port < 1 || port > 65535)
    return reader.problem("TEMPORAL_ADDRESS", `${match[2]} is not a port. Write a number from 1 to 65535.`);
  return `${match[1]}:${port}`;
}

export function readQdrant(reader: EnvironmentReader): Config["qdrant"] {
  const url = reader.url("QDRANT_URL");
  const apiKey = reader.secret("QDRANT_API_KEY", "the API key");
  const collection = readCollection(reader);
  return url ? { url, apiKey, collection } : null;
}

/** Qdrant takes it into addresses and names of folders; `-dense-SIZE` at its end is what ours for embeddings are called. */
function readCollection(reader: EnvironmentReader): string | null {
  const name = reader.text("QDRANT_COLLECTION");
  if (name === null || (/^[A-Za-z0-9][\w-]{0,99}$/.test(name) && !/-dense-\d+$/.test(name))) return name;
  return reader.problem(
    "QDRANT_COLLECTION",
    `"${name.slice(0, 40)}" cannot be a name there. Write 1 to 100 letters, digits, - and _, beginning with a letter or digit and not ending with -dense-NUMBER.`,
  );
}

export function readEmbeddings(reader: EnvironmentReader): Config["embeddings"] {
  const url = reader.url("EMBEDDINGS_URL");
  const model = reader.text("EMBEDDINGS_MODEL");
  const apiKey = reader.secret("EMBEDDINGS_API_KEY", "the API key");
  if (url && !model)
    return reader.problem("EMBEDDINGS_MODEL", "it is missing, and EMBEDDINGS_URL is set. Write the model's name.");
  if (model && !url && !reader.text("EMBEDDINGS_URL"))
    return reader.problem(
      "EMBEDDINGS_URL",
      "it is missing, and EMBEDDINGS_MODEL is set. Write the address of the embeddings service.",
    );
  return url && model ? { url, model, apiKey } : null;
}

export function readExecution(reader: EnvironmentReader): ExecutionConfig {
  const asked = reader.choice("EXECUTION_MODE", ["docker", "local", "remote_server", "mcp_server"], {
    local_python: "local",
    "remote-server": "remote_server",
    "mcp-server": "mcp_server",
  });
  const dockerHost = readDockerHost(reader);
  if (asked === "mcp_server")
    reader.problem(
      "EXECUTION_MODE",
      "mcp_server is not available in this version. Write docker, remote_server or local.",
    );
  if (asked === "remote_server" && !reader.text("DOCKER_HOST")) {
    reader.problem(
      "EXECUTION_MODE",
      "remote_server needs DOCKER_HOST. Write the address of the engine there, such as tcp://10.0.0.5:2375.",
    );
  }
  if (asked === "local") {
    reader.warnings.push(
      "EXECUTION_MODE=local: commands run on this machine without a sandbox. Use it with repositories and issues that you trust.",
    );
  }
  return {
    mode: asked === "local" ? "local" : "docker",
    dockerHost,
    image: readImage(reader),
    memory: readMemory(reader),
    cpus: readCpus(reader),
    runsAtOnce: readRunsAtOnce(reader),
  };
}

function readDockerHost(reader: EnvironmentReader): string | null {
  const value = reader.text("DOCKER_HOST");
  if (value === null || /^(unix|tcp|http|https|npipe):\/\/\S+$/.test(value)) return value;
  const wrong = value.startsWith("ssh://")
    ? "ssh:// is not spoken"
    : `"${value.slice(0, 60)}" is not an engine's address`;
  return reader.problem("DOCKER_HOST", `${wrong}. Write unix:///var/run/docker.sock or tcp://HOST:PORT.`);
}

function readImage(reader: EnvironmentReader): string | null {
  const value = reader.text("DOCKER_IMAGE");
  if (value === null || /^[a-zA-Z0-9][a-zA-Z0-9._/:@-]*$/.test(value)) return value;
  return reader.problem(
    "DOCKER_IMAGE",
    `"${value.slice(0, 60)}" is not an image's name. Write it as docker run takes it, such as node:22.`,
  );
}

function readMemory(reader: EnvironmentReader): string | null {
  const value = reader.text("MEMORY_LIMIT");
  if (value === null || /^\d+(\.\d+)?\s*([kmgt]i?b?|b)?$/i.test(value)) return value;
  return reader.problem(
    "MEMORY_LIMIT",
    `"${value.slice(0, 40)}" is not a size. Write a number and its unit, such as 512m or 4g.`,
  );
}

function readCpus(reader: EnvironmentReader): number | null {
  const value = reader.text("CPU_LIMIT");
  if (value === null) return null;
  const cpus = Number(value);
  if (/^\d*\.?\d+$/.test(value) && cpus > 0) return cpus;
  return reader.problem(
    "CPU_LIMIT",
    `"${value.slice(0, 40)}" is not a number of CPUs. Write one above 0, such as 2 or 1.5.`,
  );
}

/** An agent waits for Claude most of the time, and its commands take a processor now and then. */
const RUNS_PER_PROCESSOR = 4;

function readRunsAtOnce(reader: EnvironmentReader): number {
  const value = reader.text("MERGEWRIGHT_RUNS_AT_ONCE");
  const byDefault = RUNS_PER_PROCESSOR * availableParallelism();
  if (value === null) return byDefault;
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  reader.problem(
    "MERGEWRIGHT_RUNS_AT_ONCE",
    `"${value.slice(0, 40)}" is not a number of runs. Write one from 1 to 9999, such as 8.`,
  );
  return byDefault;
}

export function readArtifacts(reader: EnvironmentReader, home: string): ArtifactsConfig {
  const endpoint = reader.url("S3_ENDPOINT");
  const standard = join(home, "artifacts");
  const byDefault = { kind: "file", url: pathToFileURL(standard).href, directory: standard } as const;
  const value = reader.text("ARTIFACTS_URL");
  if (endpoint !== null && !value?.startsWith("s3:"))
    reader.warnings.push(
      `S3_ENDPOINT is not used, artifacts go into ${value ?? byDefault.url}: set ARTIFACTS_URL to s3://bucket/prefix to keep them there.`,
    );
  if (value === null) return byDefault;
  const s3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(value);
  if (s3) {
    const [, bucket = "", rest = ""] = s3;
    const prefix = rest.replace(/^\/+|\/+$/g, "");
    return {
      kind: "s3",
      url: value,
      bucket,
      prefix,
      endpoint,
      region: reader.text("AWS_REGION"),
      credentials: readCredentials(reader),
    };
  }
  if (value.startsWith("file:") && URL.canParse(value)) {
    try {
      const directory = fileURLToPath(value);
      if (isAbsolute(directory)) return { kind: "file", url: value, directory };
    } catch {
      // A host in a file address: told below like every other form that will not do.
    }
  }
  reader.problem(
    "ARTIFACTS_URL",
    `"${value.slice(0, 60)}" will not do. Write file:///absolute/directory, or s3://bucket/prefix.`,
  );
  return byDefault;
}

/** Without them the AWS SDK looks elsewhere: in its profiles, and for the role of this machine. */
function readCredentials(reader: EnvironmentReader): (ArtifactsConfig & { kind: "s3" })["credentials"] {
  const accessKeyId = reader.secret("AWS_ACCESS_KEY_ID", "the key's id");
  const secretAccessKey = reader.secret("AWS_SECRET_ACCESS_KEY", "the key");
  const sessionToken = reader.secret("AWS_SESSION_TOKEN", "the token");
  if (accessKeyId && secretAccessKey)
    return { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) };
  if (accessKeyId && !reader.text("AWS_SECRET_ACCESS_KEY"))
    reader.problem("AWS_SECRET_ACCESS_KEY", "it is missing, and AWS_ACCESS_KEY_ID is set. Set both, or neither.");
  if (secretAccessKey && !reader.text("AWS_ACCESS_KEY_ID"))
    reader.problem("AWS_ACCESS_KEY_ID", "it is missing, and AWS_SECRET_ACCESS_KEY is set. Set both, or neither.");
  return null;
}

/** Without an API token anybody who reaches the port would be let in: then only this machine reaches it. */
export function readListen(reader: EnvironmentReader, apiToken: string | null): { host: string; port: number } {
  const asked = reader.text("HOST") ?? "127.0.0.1";
  let host = asked;
  if (!/^[A-Za-z0-9.:_[\]-]+$/.test(asked))
    reader.problem(
      "HOST",
      `"${asked.slice(0, 60)}" is not a host name or address. Write 127.0.0.1, or 0.0.0.0 for all interfaces.`,
    );
  else if (apiToken === null && !isLoopback(asked)) {
    host = "127.0.0.1";
    reader.warnings.push(
      `HOST=${asked} is not used, this server listens on 127.0.0.1 only: set MERGEWRIGHT_API_TOKEN to open it to the network.`,
    );
  }
  const port = reader.text("PORT");
  if (port === null) return { host, port: 8000 };
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65535) return { host, port: Number(port) };
  reader.problem(
    "PORT",
    `"${port.slice(0, 40)}" is not a port. Write a number from 1 to 65535, or 0 for any free one.`,
  );
  return { host, port: 8000 };
}
