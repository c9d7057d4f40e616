/** Sizes as Docker writes them: `512m`, `1.5g`, `2GiB`, `1024`. All units count in 1024s. */
import { ConfigurationError } from "../../../domain/errors.ts";

const UNITS = ["", "k", "m", "g", "t"];

/** Bytes. Throws ConfigurationError on anything else than a size above zero. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = match ? Math.floor(Number(match[1]) * 1024 ** UNITS.indexOf((match[2] as string).toLowerCase())) : 0;
  if (bytes <= 0)
    throw new ConfigurationError([
      `${JSON.stringify(text)} is not a size: write a number with k, m or g, such as 512m or 2g.`,
    ]);
  return bytes;
}
