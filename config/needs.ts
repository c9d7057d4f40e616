/** What a command cannot do without, and how to come by it. */
import type { Config, Need } from "./config.ts";

export function missing(config: Pick<Config, "anthropic" | "github" | "tenants">, needs: readonly Need[]): string[] {
  return needs.filter((need) => !has(config, need)).map((need) => HOW[need]);
}

const HOW: Readonly<Record<Need, string>> = {
  claude:
    "ANTHROPIC_API_KEY: it is missing. Make a key at https://platform.claude.com and set it in the environment or in .env.",
  github:
    "GITHUB_TOKEN: it is missing. Set a token that may write to the repositories, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY, in the environment or in .env.",
  "webhook-secret":
    "GITHUB_WEBHOOK_SECRET: it is missing, so every delivery would be refused. Set it to the secret of the webhook on GitHub.",
};

/** A tenant's own credentials are enough to begin with. */
function has(config: Pick<Config, "anthropic" | "github" | "tenants">, need: Need): boolean {
  const tenants = [...config.tenants.values()];
  switch (need) {
    case "claude":
      return config.anthropic.apiKey !== null || tenants.some((tenant) => tenant.anthropicApiKey !== null);
    case "github":
      return config.github.auth !== null || tenants.some((tenant) => tenant.githubAuth !== null);
    case "webhook-secret":
      return config.github.webhookSecret !== null || tenants.some((tenant) => tenant.webhookSecret !== null);
  }
}
