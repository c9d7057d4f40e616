/** From the largest to the smallest: both directions rely on the order. */
export const UNITS = [
  { short: "d", names: ["d", "day", "days"], ms: 86_400_000 },
  { short: "h", names: ["h", "hr", "hour", "hours"], ms: 3_600_000 },
  { short: "m", names: ["m", "min", "minute", "minutes"], ms: 60_000 },
  { short: "s", names: ["s", "sec", "second", "seconds"], ms: 1_000 },
];

/** @param {string} name */
export function unitByName(name) {
  return UNITS.find((unit) => unit.names.includes(name.toLowerCase()));
}
