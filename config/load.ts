/**
 * The configuration of this process: `mergewright.yaml`, the environment over it, the command line over that. Everything
 * that is wrong is told at once, in one ConfigurationError.
 */
import { resolve } from "node:path";
import { ConfigurationError } from "../domain/errors.ts";
import type { Price, RepositorySettings, RunSettings } from "../domain/settings.ts";
import { LOG_LEVELS, type Config, type Need } from "./config.ts";
import { readGitHubAuth } from "./credentials.ts";
import { withDotEnv, type Environment, type EnvironmentName } from "./environment.ts";
import { createReader, type EnvironmentReader } from "./environment-reader.ts";
import { missing } from "./needs.ts";
import { readPayloadKeys } from "./payload-keys.ts";
import { highestPrice, priceOf, PRICES } from "./prices.ts";
import { collectSecrets, withoutSecrets } from "./secrets.ts";
import {
  readArtifacts,
  readEmbeddings,
  readExecution,
  readGitHubUrls,
  readListen,
  readQdrant,
  readTemporal,
  readWriteSpacing,
} from "./services.ts";
import { readSettings, type ReadSettings } from "./settings-file.ts";
import { readTenants } from "./tenants.ts";

export interface LoadOptions {
  env: Environment;
  /** Relative paths start here, and a `.env` here is read (`env` wins over it). */
  cwd: string;
  /** What the command line says, under the names of the environment; wins over both. */
  args?: Partial<Record<EnvironmentName, string>>;
  /** What the command cannot do without. */
  needs?: readonly Need[];
}

/** Throws ConfigurationError with all problems. */
export function loadConfig({ env: given, cwd, args = {}, needs = [] }: LoadOptions): Config {
  const dotEnv = withDotEnv(given, cwd);
  const env: Environment = { ...dotEnv.env, ...args };
  const reader = createReader(env);
  const problems = reader.problems;
  problems.push(...dotEnv.problems);

  const file = readSettings(reader.text("MERGEWRIGHT_CONFIG"), cwd, problems, reader.warnings);
  const home = resolve(cwd, reader.text("MERGEWRIGHT_HOME") ?? ".mergewright");
  const apiToken = reader.secret("MERGEWRIGHT_API_TOKEN", "the token");
  const plain: Omit<Config, "secrets"> = {
    home,
    file: file.path,
    ...readListen(reader, apiToken),
    logLevel: reader.choice("LOG_LEVEL", LOG_LEVELS, { warning: "warn", verbose: "debug", off: "silent" }) ?? "info",
    publicUrl: reader.url("MERGEWRIGHT_PUBLIC_URL"),
    temporal: readTemporal(reader, cwd),
    github: {
      ...readGitHubUrls(reader),
      auth: readGitHubAuth(reader, cwd),
      webhookSecret: readWebhookSecret(reader),
      writeSpacingMs: readWriteSpacing(reader),
    },
    anthropic: { apiKey: reader.secret("ANTHROPIC_API_KEY", "the key"), baseUrl: reader.url("ANTHROPIC_BASE_URL") },
    qdrant: readQdrant(reader),
    embeddings: readEmbeddings(reader),
    execution: readExecution(reader),
    artifacts: readArtifacts(reader, home),
    apiToken,
    payloadKeys: readPayloadKeys(reader),
    inlinePayloadBytes: file.settings.storage.inline_bytes,
    artifactsDays: file.settings.retention.artifacts_days,
    triggers: file.settings.triggers,
    upkeep: file.settings.upkeep,
    pricesAsOf: file.settings.prices_as_of,
    tenants: readTenants(file.settings.tenants, env, cwd, file.findings),
    repositories: [...file.byRepository.values()].map(({ name }) => name),
    settingsFor: settingsOf(file, reader),
    warnings: reader.warnings,
    hostEnvironment: withoutSecrets(env),
  };
  problems.push(...missing(plain, needs).filter((line) => !alreadyTold(line, problems)));
  if (problems.length > 0) throw new ConfigurationError([...new Set(problems)]);
  const secrets = collectSecrets(plain, env);
  return { ...plain, secrets: () => [...secrets] };
}

/** A key that was there but wrong is not also "missing". */
function alreadyTold(line: string, problems: readonly string[]): boolean {
  const name = line.slice(0, line.indexOf(":"));
  const prefixes = name === "GITHUB_TOKEN" ? ["GITHUB_TOKEN:", "GITHUB_APP_"] : [`${name}:`];
  return problems.some((problem) => prefixes.some((prefix) => problem.startsWith(prefix)));
}

function readWebhookSecret(reader: EnvironmentReader): string | null {
  const [named, alias] = [reader.text("GITHUB_WEBHOOK_SECRET"), reader.text("WEBHOOK_SECRET")];
  if (named && alias && named !== alias) {
    reader.warnings.push("GITHUB_WEBHOOK_SECRET and WEBHOOK_SECRET differ: the first one is used.");
  }
  const secret = named ?? alias;
  if (secret && secret.length < 16)
    reader.warnings.push("The webhook secret is short: 32 random characters cannot be guessed (openssl rand -hex 16).");
  return secret;
}

/** Settings by repository with the model that ANTHROPIC_MODEL asks for, and a price for each model. */
function settingsOf(file: ReadSettings, reader: EnvironmentReader): Config["settingsFor"] {
  const override = reader.text("ANTHROPIC_MODEL");
  const prices: Record<string, Price> = { ...PRICES, ...file.settings.prices };
  if (override && !priceOf(prices, override)) {
    prices[override] = highestPrice(prices);
    reader.warnings.push(
      `ANTHROPIC_MODEL=${override} has no price: the highest one known is reckoned. Add it under \`prices:\` in mergewright.yaml.`,
    );
  }
  const example = JSON.stringify(highestPrice(PRICES))
    .replaceAll('"', "")
    .replaceAll(/([:,])/g, "$1 ");
  const complete = (settings: RepositorySettings, at: readonly string[]): RunSettings => {
    const models = override
      ? { classifier: override, planner: override, coder: override, reviewer: override }
      : settings.models;
    const priced: Record<string, Price> = { ...prices };
    for (const [role, model] of Object.entries(models)) {
      const price = priceOf(prices, model);
      if (price) priced[model] = price;
      else {
        file.findings.problem(
          [...at, "models", role],
          `the model ${model} has no price, so what it spends could not be limited. Add \`prices: { ${model}: ${example} }\` with its own prices, in US dollars for a million tokens.`,
        );
      }
    }
    return { ...settings, models, prices: priced };
  };
  const {
    triggers: _triggers,
    upkeep: _upkeep,
    prices: _prices,
    prices_as_of: _asOf,
    storage: _storage,
    retention: _retention,
    tenants: _tenants,
    repositories: _repositories,
    ...global
  } = file.settings;
  const standard = complete(global, []);
  const inherited = (settings: RepositorySettings) => JSON.stringify(settings.models) === JSON.stringify(global.models);
  const own = new Map<string, RunSettings>();
  for (const [key, { name, settings }] of file.byRepository) {
    // A model without a price is told once, where it was written.
    own.set(
      key,
      inherited(settings)
        ? { ...settings, models: standard.models, prices: standard.prices }
        : complete(settings, ["repositories", name]),
    );
  }
  return (repository) => structuredClone(own.get(repository.toLowerCase()) ?? standard);
}
