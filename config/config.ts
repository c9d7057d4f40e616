/** The configuration as the rest of the program sees it: complete, checked, and plain. `loadConfig` makes it. */
import type { RepositoryName } from "../domain/ids.ts";
import type { RunSettings, Triggers, Upkeep } from "../domain/settings.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Config {
  /** State directory, absolute. It need not exist yet. */
  home: string;
  /** The file that was read, absolute; null where there was none. */
  file: string | null;
  /** Always a loopback address while there is no `apiToken`. */
  host: string;
  /** 0: any free one. */
  port: number;
  logLevel: LogLevel;
  /** Base of links to our page as people reach it; null: the address that is listened on. */
  publicUrl: string | null;
  temporal: TemporalConfig;
  github: GitHubConfig;
  anthropic: { apiKey: string | null; baseUrl: string | null };
  /** `collection` keeps installations apart that share a server; null: the usual one. */
  qdrant: { url: string; apiKey: string | null; collection: string | null } | null;
  embeddings: { url: string; model: string; apiKey: string | null } | null;
  execution: ExecutionConfig;
  artifacts: ArtifactsConfig;
  /** Guards every route but webhook, health and ready; null: loopback only, and no changes over HTTP. */
  apiToken: string | null;
  /** Encrypt Temporal's payloads and the artifacts: the first one encrypts, all decrypt. Empty: nothing is encrypted. */
  payloadKeys: readonly PayloadKey[];
  /** Temporal payloads of this many bytes or more go to the artifact store. */
  inlinePayloadBytes: number;
  /** Days after which what an ended run has stored is removed; 0: never. */
  artifactsDays: number;
  triggers: Triggers;
  upkeep: Upkeep;
  /** Day on which the prices were looked up, `YYYY-MM-DD`. */
  pricesAsOf: string;
  /** By GitHub owner in lower case. */
  tenants: ReadonlyMap<string, Tenant>;
  /** Repositories with settings of their own, as they are spelt in the file. */
  repositories: readonly RepositoryName[];
  /** What holds for one repository (any case); a fresh copy at each call. */
  settingsFor(repository: RepositoryName): RunSettings;
  /** The variables of this process for the programs that we run on the host, without our keys and tokens. */
  hostEnvironment: Record<string, string | undefined>;
  /** Every secret value that this configuration holds, for redaction. */
  secrets(): string[];
  /** What works but should be known, one sentence each. */
  warnings: readonly string[];
}

export interface TemporalConfig {
  /** `host:port`; null: the embedded dev server. */
  address: string | null;
  /** Base of links to the Temporal Web UI as people reach it; null where none is named. */
  webUi: string | null;
  namespace: string;
  apiKey: string | null;
  /** As the Temporal SDK's `tls` option takes it. */
  tls: boolean | { clientCertPair: { crt: Buffer; key: Buffer } };
  /** Path of the Temporal CLI that was asked for; null: find one. */
  cli: string | null;
}

export interface GitHubConfig {
  /** REST base without a slash at its end. */
  apiUrl: string;
  graphqlUrl: string;
  auth: GitHubAuth | null;
  webhookSecret: string | null;
  /** Milliseconds between two writes of one tenant; null: the adapter's default, as GitHub asks. */
  writeSpacingMs: number | null;
}

export type GitHubAuth = { kind: "token"; token: string } | { kind: "app"; appId: number; privateKey: string };

export interface ExecutionConfig {
  /** `local` runs commands as unsandboxed processes: only when asked for by name. */
  mode: "docker" | "local";
  /** As DOCKER_HOST has it; null: the engine of this machine. */
  dockerHost: string | null;
  /** null: the default image of the sandbox adapter. */
  image: string | null;
  /** Such as `4g`; null: the sandbox adapter's default. */
  memory: string | null;
  /** null: the sandbox adapter's default. */
  cpus: number | null;
  /** Runs that have sandboxes open on this worker at one time; others wait in Temporal's queue. */
  runsAtOnce: number;
}

export type ArtifactsConfig =
  | { kind: "file"; url: string; directory: string }
  | {
      kind: "s3";
      url: string;
      bucket: string;
      prefix: string;
      endpoint: string | null;
      region: string | null;
      /** null: as the AWS SDK finds them: a profile, or the role of the machine. */
      credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | null;
    };

export interface PayloadKey {
  id: string;
  /** 32 bytes, for AES-256. */
  key: Buffer;
  /** As it was written; for redaction. */
  written: string;
}

/** What one GitHub owner brings of their own; null: ours is used. */
export interface Tenant {
  owner: string;
  webhookSecret: string | null;
  githubAuth: GitHubAuth | null;
  anthropicApiKey: string | null;
}

/** Outside parts that a command cannot do without. */
export type Need = "claude" | "github" | "webhook-secret";
