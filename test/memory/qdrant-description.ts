/** Holds a request to Qdrant's own description. What the description leaves open (unknown fields) is refused here. */
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";

type Schema = Record<string, unknown>;

interface Description {
  paths: Record<
    string,
    Record<
      string,
      {
        operationId: string;
        parameters?: { name: string; in: string }[];
        requestBody?: { content: { "application/json": { schema: Schema } } };
      }
    >
  >;
  components: { schemas: Record<string, Schema> };
}

const description = JSON.parse(readFileSync(new URL("openapi/qdrant.json", import.meta.url), "utf8")) as Description;

const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false, allowUnionTypes: true });
ajv.addSchema({ $id: "qdrant", components: { schemas: strict(description.components.schemas) } });

export interface Operation {
  name: string;
  parameters: Record<string, string>;
  /** Null: the request keeps to the description. */
  wrong: string | null;
}

/** Null: there is no such operation among those that we use. */
export function operationOf(method: string, url: URL, body: unknown): Operation | null {
  for (const [template, methods] of Object.entries(description.paths)) {
    const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
    const match = new RegExp(`^${template.replaceAll(/\{\w+\}/g, "([^/]+)")}$`).exec(url.pathname);
    const operation = methods[method.toLowerCase()];
    if (match === null || operation === undefined) continue;
    const parameters = Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(match[at + 1]!)]));
    const allowed = new Set(operation.parameters?.filter((each) => each.in === "query").map(({ name }) => name));
    const unknown = [...url.searchParams.keys()].find((name) => !allowed.has(name));
    const schema = operation.requestBody?.content["application/json"].schema;
    let wrong = unknown === undefined ? null : `unknown parameter ${unknown}`;
    if (schema !== undefined) {
      const validate = ajv.compile(absolute(strict(schema)) as Schema);
      if (!validate(body)) wrong ??= ajv.errorsText(validate.errors).slice(0, 400);
    }
    return { name: operation.operationId, parameters, wrong };
  }
  return null;
}

/** OpenAPI 3.0 says `nullable` where JSON schema has a type; objects with named fields take no others. */
function strict<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(strict) as T;
  if (schema === null || typeof schema !== "object") return schema;
  const { nullable, ...rest } = schema as Schema;
  const made: Schema = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, strict(value)]));
  if (nullable === true) {
    if (Object.keys(made).length === 0) return { type: "null" } as T;
    if (typeof made["type"] === "string") made["type"] = [made["type"], "null"];
    if (Array.isArray(made["enum"])) made["enum"] = [...(made["enum"] as unknown[]), null];
  }
  if (isObjectType(made) && made["properties"] !== undefined && !("additionalProperties" in made) && !("anyOf" in made))
    made["additionalProperties"] = false;
  return made as T;
}

function isObjectType({ type }: Schema): boolean {
  return type === "object" || (Array.isArray(type) && type.includes("object"));
}

function absolute(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"qdrant#/components/'));
}
