import { UNITS } from "./units.js";

/**
 * Writes a duration for people: `formatDuration(5_400_000)` is "1h 30m".
 * @param {number} ms
 * @param {{ units?: number, separator?: string }} [options] See the README.
 */
export function formatDuration(ms, { units = UNITS.length, separator = " " } = {}) {
  if (!Number.isFinite(ms)) throw new TypeError(`Not a number of milliseconds: ${ms}`);
  if (!Number.isInteger(units) || units < 1) throw new RangeError(`units must be 1 or more: ${units}`);

  let rest = Math.abs(ms);
  const shown = shownUnits(rest, units);
  const parts = shown.map((unit, index) => {
    const exact = rest / unit.ms;
    const count = index === shown.length - 1 ? Math.round(exact) : Math.floor(exact);
    rest -= count * unit.ms;
    return { count, unit };
  });

  const text = parts
    .filter(({ count }) => count > 0)
    .map(({ count, unit }) => `${count}${unit.short}`)
    .join(separator);
  if (text === "") return "0s";
  return ms < 0 ? `-${text}` : text;
}

/** The largest unit that fits, and the ones below it, as many as are asked for. */
function shownUnits(ms, count) {
  const largest = UNITS.findIndex((unit) => ms >= unit.ms);
  const first = largest === -1 ? UNITS.length - 1 : largest;
  return UNITS.slice(first, first + count);
}
