/** Secrets of single GitHub owners: `tenants:` in the file, with its references to variables followed. */
import type { GitHubAuth, Tenant } from "./config.ts";
import { readPrivateKey } from "./credentials.ts";
import type { Environment } from "./environment.ts";
import { isHeaderSafe } from "./environment-reader.ts";
import type { SecretReference, SettingsFile } from "./schema.ts";
import type { Path } from "./yaml-file.ts";

export interface Findings {
  problem(path: Path, text: string): void;
  warning(path: Path, text: string): void;
}

export function readTenants(
  settings: SettingsFile["tenants"],
  env: Environment,
  cwd: string,
  findings: Findings,
): Map<string, Tenant> {
  const tenants = new Map<string, Tenant>();
  for (const [owner, tenant] of Object.entries(settings)) {
    const at = ["tenants", owner];
    if (tenants.has(owner.toLowerCase()))
      findings.problem(
        at,
        `${owner} is there twice: GitHub does not tell upper and lower case apart. Keep one of them.`,
      );
    const secret = (reference: SecretReference | undefined, path: Path) => follow(reference, path, env, findings);
    tenants.set(owner.toLowerCase(), {
      owner,
      webhookSecret: secret(tenant.webhook_secret, [...at, "webhook_secret"]),
      anthropicApiKey: headerSafe(
        secret(tenant.anthropic_api_key, [...at, "anthropic_api_key"]),
        [...at, "anthropic_api_key"],
        findings,
      ),
      githubAuth: readAuth(tenant, at),
    });
  }
  return tenants;

  function readAuth(tenant: SettingsFile["tenants"][string], at: Path): GitHubAuth | null {
    if (tenant.github_app && tenant.github_token) {
      findings.problem([...at, "github_token"], "github_token and github_app are both there. Keep one of them.");
    }
    if (tenant.github_app) {
      const path = [...at, "github_app", "private_key"];
      const value = follow(tenant.github_app.private_key, path, env, findings);
      if (value === null) return null;
      const read = readPrivateKey(value, cwd);
      if (read.kind === "key") return { kind: "app", appId: tenant.github_app.id, privateKey: read.pem };
      findings.problem(path, read.reason);
      return null;
    }
    const path = [...at, "github_token"];
    const token = headerSafe(follow(tenant.github_token, path, env, findings), path, findings);
    return token ? { kind: "token", token } : null;
  }
}

function follow(
  reference: SecretReference | undefined,
  path: Path,
  env: Environment,
  findings: Findings,
): string | null {
  if (reference === undefined) return null;
  if (typeof reference === "string") {
    findings.warning(
      path,
      `a secret stands in the file itself. Put it into a variable and write \`${String(path.at(-1))}: { env: NAME }\`.`,
    );
    return reference.trim();
  }
  const value = env[reference.env]?.trim();
  if (value) return value;
  findings.problem(path, `the environment variable ${reference.env} is not set. Set it, or remove this line.`);
  return null;
}

function headerSafe(value: string | null, path: Path, findings: Findings): string | null {
  if (value === null || isHeaderSafe(value)) return value;
  findings.problem(path, "it holds spaces, line breaks or unprintable characters. Copy it again, in one piece.");
  return null;
}
