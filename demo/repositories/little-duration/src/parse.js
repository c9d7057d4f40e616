import { unitByName } from "./units.js";

const PART = /(\d+(?:[.,]\d+)?)\s*([a-z]+)/giy;

/**
 * Reads "1h 30m", "90 minutes", "-2d" or "1.5h" and returns milliseconds.
 * Throws a RangeError for text that is not a duration.
 * @param {string} text
 */
export function parseDuration(text) {
  const trimmed = text.trim();
  const negative = trimmed.startsWith("-");
  const body = negative ? trimmed.slice(1).trim() : trimmed;
  if (body === "") throw new RangeError(`Not a duration: "${text}"`);

  let total = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < body.length) {
    const match = PART.exec(body);
    const unit = match && unitByName(match[2]);
    if (!unit) throw new RangeError(`Not a duration: "${text}"`);
    total += Number(match[1].replace(",", ".")) * unit.ms;
    while (/[\s,]/.test(body[PART.lastIndex] ?? "")) PART.lastIndex += 1;
  }
  return negative ? -total : total;
}
