/** Every secret that a configuration holds, so that none reaches a log, a comment or a commit. */
import type { Config, GitHubAuth } from "./config.ts";
import type { Environment } from "./environment.ts";

export function collectSecrets(config: Omit<Config, "secrets">, env: Environment): string[] {
  const { temporal, github, anthropic, qdrant, embeddings, tenants } = config;
  const found = [
    anthropic.apiKey,
    ...ofAuth(github.auth),
    github.webhookSecret,
    temporal.apiKey,
    typeof temporal.tls === "object" ? temporal.tls.clientCertPair.key.toString("utf8") : null,
    qdrant?.apiKey,
    embeddings?.apiKey,
    config.apiToken,
    env.MERGEWRIGHT_PAYLOAD_KEY?.trim(),
    ...config.payloadKeys.map(({ written }) => written),
    ...[
      anthropic.baseUrl,
      github.apiUrl,
      github.graphqlUrl,
      qdrant?.url,
      embeddings?.url,
      config.execution.dockerHost,
    ].flatMap(ofUrl),
    ...[...tenants.values()].flatMap((tenant) => [
      tenant.webhookSecret,
      tenant.anthropicApiKey,
      ...ofAuth(tenant.githubAuth),
    ]),
    // A second name of the same thing, or a token that is not used beside an App or an S3, is a secret all the same.
    ...[env.WEBHOOK_SECRET, env.GITHUB_TOKEN, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN].map((value) =>
      value?.trim(),
    ),
  ];
  return [...new Set(found.filter((value): value is string => Boolean(value)))];
}

/** For programs on the host: Git and the Temporal CLI need the proxy and the path, never our keys. */
export function withoutSecrets(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SECRET_NAME.test(name)));
}

/** The values of those that `withoutSecrets` leaves out. */
export function namedLikeSecrets(env: Environment): string[] {
  return Object.entries(env).flatMap(([name, value]) => (value && SECRET_NAME.test(name) ? [value] : []));
}

const SECRET_NAME = /(TOKEN|KEY|SECRET|PASSWORD|CREDENTIALS)$/;

function ofAuth(auth: GitHubAuth | null): (string | null)[] {
  return auth === null ? [] : [auth.kind === "token" ? auth.token : auth.privateKey];
}

function ofUrl(url: string | null | undefined): string[] {
  if (!url || !URL.canParse(url)) return [];
  const password = new URL(url).password;
  return password ? [password, decodeURIComponent(password)] : [];
}
