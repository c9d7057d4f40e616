/** For `doctor`: does the key work, and does it reach each configured model? Costs no tokens. */
import { AccessDenied, type MergewrightError, RateLimited, RequestRefused } from "../../../domain/errors.ts";
import { toModelError } from "./errors.ts";
import { type ModelOptions, createClient } from "./model.ts";

export type ModelCheck = { model: string; ok: true } | { model: string; ok: false; reason: string; mend: string };

/** Milliseconds for one look-up: a person is waiting. */
const CHECK_TIMEOUT_MS = 10_000;

/** One answer for each distinct model, in the order given. Never throws for what the service says. */
export async function checkModel(options: ModelOptions & { models: readonly string[] }): Promise<ModelCheck[]> {
  const client = createClient(options);
  const checks = [...new Set(options.models)].map(async (model): Promise<ModelCheck> => {
    try {
      await client.models.retrieve(model, {}, { signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) });
      return { model, ok: true };
    } catch (error) {
      const known = toModelError(error, Date.now(), [options.apiKey]);
      return { model, ok: false, reason: known.message, mend: mendOf(known, model) };
    }
  });
  return Promise.all(checks);
}

function mendOf(error: MergewrightError, model: string): string {
  if (error instanceof AccessDenied)
    return "Set ANTHROPIC_API_KEY to a key from console.anthropic.com that is active and has credit.";
  if (error instanceof RateLimited)
    return "Nothing to mend: Claude is busy or your limit is reached. Try again later, or ask Anthropic for a higher limit.";
  if (error instanceof RequestRefused) {
    return error.status === 404
      ? `Check the spelling of ${model} under models: in mergewright.yaml (or ANTHROPIC_MODEL), and that your key may use it.`
      : "Check ANTHROPIC_BASE_URL and the model names in mergewright.yaml.";
  }
  return "Check the network, proxies and ANTHROPIC_BASE_URL of this machine; status.anthropic.com tells of outages.";
}
