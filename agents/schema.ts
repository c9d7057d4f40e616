/** A zod schema as Claude's structured outputs take it: closed objects, everything required, no keyword they do not know. */
import { z } from "zod";

export type JsonSchema = Record<string, unknown>;

/** Keywords that structured outputs understand; limits on length, number and size are checked by zod on receipt. */
const KNOWN = new Set([
  "type",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "enum",
  "const",
  "anyOf",
  "allOf",
  "$ref",
  "$defs",
  "description",
  "title",
  "default",
  "format",
]);

export function outputSchema(schema: z.ZodType): JsonSchema {
  return fit(z.toJSONSchema(schema) as JsonSchema);
}

function fit(schema: JsonSchema): JsonSchema {
  const kept = Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => KNOWN.has(key))
      .map(([key, value]) => [key, fitValue(key, value)]),
  );
  return kept["type"] === "object"
    ? { ...kept, additionalProperties: false, required: Object.keys((kept["properties"] ?? {}) as object) }
    : kept;
}

function fitValue(key: string, value: unknown): unknown {
  if (key === "properties" || key === "$defs") {
    return Object.fromEntries(
      Object.entries(value as Record<string, JsonSchema>).map(([name, inner]) => [name, fit(inner)]),
    );
  }
  if (key === "items") return fit(value as JsonSchema);
  if (key === "anyOf" || key === "allOf") return (value as JsonSchema[]).map(fit);
  return value;
}
