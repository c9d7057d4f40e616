/** Which JSON schemas structured outputs take. */
import { invalid } from "./refusal.ts";

type Schema = Record<string, unknown>;

const AT = "output_config.format.schema";
const SUPPORTED: Readonly<Record<string, readonly string[]>> = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "minItems"],
  string: ["format", "pattern"],
  integer: [],
  number: [],
  boolean: [],
  null: [],
};
const COMMON = [
  "type",
  "description",
  "title",
  "default",
  "enum",
  "const",
  "anyOf",
  "allOf",
  "$ref",
  "$defs",
  "definitions",
];

export function checkSchema(schema: Schema): void {
  if ("$schema" in schema) checkNode(withoutDialect(schema), AT);
  else checkNode(schema, AT);
}

function checkNode(schema: Schema, at: string): void {
  const type = schema["type"];
  const combined = ["anyOf", "allOf", "$ref", "enum", "const"].some((key) => key in schema);
  if (type === undefined && !combined)
    throw invalid(`${at}: Schema must have a 'type', 'anyOf', 'allOf', '$ref', 'enum' or 'const'`);
  const types = [type].flat().filter((name) => typeof name === "string");
  for (const name of types) {
    const allowed = SUPPORTED[name];
    if (!allowed) throw invalid(`${at}: type '${name}' is not supported`);
    for (const key of Object.keys(schema)) {
      if (!allowed.includes(key) && !COMMON.includes(key))
        throw invalid(`${at}: For '${name}' type, property '${key}' is not supported`);
    }
    if (name === "object" && schema["additionalProperties"] !== false)
      throw invalid(`${at}: For 'object' type, 'additionalProperties' must be explicitly set to false`);
    if (name === "array" && ![undefined, 0, 1].includes(schema["minItems"] as undefined))
      throw invalid(`${at}: For 'array' type, 'minItems' values other than 0 or 1 are not supported`);
  }
  for (const key of ["properties", "$defs"])
    for (const [name, inner] of Object.entries((schema[key] ?? {}) as Schema))
      checkNode(inner as Schema, `${at}.${key}.${name}`);
  for (const key of ["anyOf", "allOf"])
    for (const [index, inner] of ((schema[key] ?? []) as Schema[]).entries()) checkNode(inner, `${at}.${key}.${index}`);
  if (typeof schema["items"] === "object" && schema["items"] !== null)
    checkNode(schema["items"] as Schema, `${at}.items`);
}

function withoutDialect(schema: Schema): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema"));
}
