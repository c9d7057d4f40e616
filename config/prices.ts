/** Prices of the models that are known today. `prices:` in the file adds to them and overrides them. */
import type { Price } from "../domain/settings.ts";

/** Day on which the table below was taken from the vendor's price list. */
export const PRICES_AS_OF = "2026-11-20";

/**
 * US dollars for a million tokens; cache writes live five minutes.
 * Haiku 5.5 costs five times as much for prompts over 100,000 tokens: whoever gives it long work sets its price higher.
 * @see https://platform.claude.com/docs/en/about-claude/pricing
 */
export const PRICES: Readonly<Record<string, Price>> = {
  "claude-opus-5-5": { input: 4, output: 20, cache_read: 0.2, cache_write: 5 },
  "claude-sonnet-5-5": { input: 2, output: 10, cache_read: 0.1, cache_write: 2.5 },
  "claude-haiku-5-5": { input: 0.1, output: 0.5, cache_read: 0.01, cache_write: 0.125 },
  "claude-fable-5-2": { input: 8, output: 40, cache_read: 0.2, cache_write: 10 },
  "claude-opus-5": { input: 5, output: 25, cache_read: 0.5, cache_write: 6.25 },
  "claude-sonnet-5": { input: 2, output: 10, cache_read: 0.2, cache_write: 2.5 },
  "claude-haiku-4-5": { input: 1, output: 5, cache_read: 0.1, cache_write: 1.25 },
};

/** The price of a model; a dated name (`-20261101`) has the price of the name without its date. */
export function priceOf(prices: Readonly<Record<string, Price>>, model: string): Price | null {
  for (const name of [model, model.replace(/-20\d{6}$/, "")]) if (Object.hasOwn(prices, name)) return prices[name]!;
  return null;
}

/** Never an underestimate: the highest of each part. */
export function highestPrice(prices: Readonly<Record<string, Price>>): Price {
  const all = Object.values(prices);
  const highest = (part: keyof Price) => Math.max(...all.map((price) => price[part]));
  return {
    input: highest("input"),
    output: highest("output"),
    cache_read: highest("cache_read"),
    cache_write: highest("cache_write"),
  };
}
