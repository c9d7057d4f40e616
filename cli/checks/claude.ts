/** Claude: the key, and every model that some repository asks for. */
import { checkModel } from "../../activities/adapters/anthropic/check.ts";
import type { Config } from "../../config/config.ts";
import { fail, ok, type Finding } from "./finding.ts";

export async function checkClaude(config: Config): Promise<Finding[]> {
  const keys = new Map<string, string>();
  if (config.anthropic.apiKey) keys.set(config.anthropic.apiKey, "");
  for (const tenant of config.tenants.values())
    if (tenant.anthropicApiKey) keys.set(tenant.anthropicApiKey, ` (${tenant.owner})`);
  if (keys.size === 0) {
    return [
      fail(
        "Claude",
        "There is no key.",
        "Make one at https://platform.claude.com and set ANTHROPIC_API_KEY in the environment or in .env.",
      ),
    ];
  }
  const models = modelsOf(config);
  const { baseUrl } = config.anthropic;
  const checks = [...keys].map(async ([apiKey, whose]) => {
    const answers = await checkModel({ apiKey, models, ...(baseUrl === null ? {} : { baseUrl }) });
    return answers.map((answer) => {
      const name = `Claude${whose}`;
      return answer.ok ? ok(name, `${answer.model} can be used.`) : fail(name, answer.reason, answer.mend);
    });
  });
  return (await Promise.all(checks)).flat();
}

function modelsOf(config: Config): string[] {
  // Any name stands for the repositories without settings of their own.
  const all = ["any/other", ...config.repositories].flatMap((name) => Object.values(config.settingsFor(name).models));
  return [...new Set(all)];
}
