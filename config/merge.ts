/** Lays the settings of one repository over those of all: sections deep, everything else as a whole. */
export function mergeSettings(base: unknown, over: unknown): unknown {
  if (!isSection(base) || !isSection(over)) return over;
  const keys = new Set([...Object.keys(base), ...Object.keys(over)]);
  // fromEntries defines own properties: a key named __proto__ stays a key, and is refused as unknown later.
  return Object.fromEntries(
    [...keys].map((key) => [
      key,
      !Object.hasOwn(over, key)
        ? base[key]
        : Object.hasOwn(base, key)
          ? mergeSettings(base[key], over[key])
          : over[key],
    ]),
  );
}

/** A section whose lines are all commented out is read as null; it means "as by default". */
export function withoutEmptySections(value: unknown, sections: ReadonlySet<string>): unknown {
  if (!isSection(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => inner !== null || !sections.has(key))
      .map(([key, inner]) => [key, inner]),
  );
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
