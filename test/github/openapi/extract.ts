/**
 * GitHub's OpenAPI description, cut down to the routes and events that we use. The whole is 13 MB; the cut is kept
 * under `node_modules/.cache`, and made again when the description's version or our routes change.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export interface Description {
  /** By path template, then by method in lower case. */
  paths: Record<string, Record<string, Operation>>;
  /** By event and action: `issues-opened`, `push`. */
  webhooks: Record<string, Schema>;
  schemas: Record<string, Schema>;
  /** `METHOD template` of routes that the description does not have. */
  lacking: string[];
}

export interface Operation {
  parameters: Parameter[];
  /** null: the route takes no body. */
  body: { required: boolean; schema: Schema } | null;
  /** By status; null where the answer has no JSON body. */
  responses: Record<string, Schema | null>;
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  schema: Schema;
}

export type Schema = Record<string, unknown>;

/** Made anew when what is written below changes its form. */
const FORM = 3;

export function description(routes: readonly { method: string; template: string }[]): Description {
  const require = createRequire(import.meta.url);
  const root = dirname(require.resolve("@octokit/openapi/package.json"));
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const wanted = routes.map(({ method, template }) => `${method} ${template}`).sort();
  const digest = createHash("sha256")
    .update(JSON.stringify([FORM, version, wanted]))
    .digest("hex")
    .slice(0, 16);
  const cache = join(root, "../../.cache/mergewright", `github-openapi-${digest}.json`);
  if (existsSync(cache)) return JSON.parse(readFileSync(cache, "utf8")) as Description;

  const whole = JSON.parse(readFileSync(join(root, "generated/api.github.com.json"), "utf8")) as Whole;
  const cut = extract(whole, routes);
  mkdirSync(dirname(cache), { recursive: true });
  // Renamed into place, because test files run beside each other.
  writeFileSync(`${cache}.${process.pid}`, JSON.stringify(cut));
  renameSync(`${cache}.${process.pid}`, cache);
  return cut;
}

interface Whole {
  paths: Record<string, Record<string, RawOperation>>;
  "x-webhooks": Record<string, Record<string, RawOperation>>;
  components: {
    schemas: Record<string, Schema>;
    parameters: Record<string, Schema>;
    responses: Record<string, Schema>;
  };
}

interface RawOperation {
  parameters?: Schema[];
  requestBody?: { required?: boolean; content?: Record<string, { schema: Schema }> };
  responses?: Record<string, Schema>;
}

const EVENTS = /^(issues|issue-comment|pull-request|pull-request-review|check-run|check-suite|status|push|ping)($|-)/;

function extract(whole: Whole, routes: readonly { method: string; template: string }[]): Description {
  const cut: Description = { paths: {}, webhooks: {}, schemas: {}, lacking: [] };
  const needed = new Set<string>();

  const resolve = (value: Schema): Schema => {
    const reference = value["$ref"];
    if (typeof reference !== "string") return value;
    const [, , kind, name] = reference.split("/") as [string, string, keyof Whole["components"], string];
    return whole.components[kind][name] ?? {};
  };
  const json = (content: unknown): Schema | null => {
    const media = (content ?? {}) as Record<string, { schema: Schema }>;
    const schema = media["application/json"]?.schema;
    return schema ? convert(schema, needed) : null;
  };

  for (const { method, template } of routes) {
    const path = Object.keys(whole.paths).find((candidate) => sameTemplate(candidate, template));
    const raw = path === undefined ? undefined : whole.paths[path]?.[method.toLowerCase()];
    if (!raw) {
      cut.lacking.push(`${method} ${template}`);
      continue;
    }
    const parameters = (raw.parameters ?? []).map(resolve).map((parameter) => ({
      name: String(parameter["name"]),
      in: parameter["in"] as Parameter["in"],
      required: parameter["required"] === true,
      schema: convert(parameter["schema"] as Schema, needed),
    }));
    const bodySchema = json(raw.requestBody?.content);
    const responses = Object.entries(raw.responses ?? {}).map(([status, response]) => [
      status,
      json(resolve(response)["content"]),
    ]);
    (cut.paths[template] ??= {})[method.toLowerCase()] = {
      parameters,
      body: bodySchema && { required: raw.requestBody?.required === true, schema: bodySchema },
      responses: Object.fromEntries(responses) as Operation["responses"],
    };
  }
  for (const [name, methods] of Object.entries(whole["x-webhooks"])) {
    const schema = EVENTS.test(name) ? json(methods["post"]?.requestBody?.content) : null;
    if (schema) cut.webhooks[name] = schema;
  }
  for (const name of needed) cut.schemas[name] = convert(whole.components.schemas[name] ?? {}, needed);
  return cut;
}

/** Parameter names may differ: `{ref}` is `{commit_sha}` in places. */
function sameTemplate(a: string, b: string): boolean {
  const plain = (template: string): string => template.replace(/\{\w+\}/g, "{}");
  return plain(a) === plain(b);
}

/** OpenAPI 3.0 becomes JSON Schema: `nullable` a type, references local, and what only describes is left out. */
function convert(schema: Schema, needed: Set<string>): Schema {
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const name = reference.split("/").pop() ?? "";
    needed.add(name);
    return { $ref: `github#/schemas/${name}` };
  }
  const result: Schema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (
      [
        "description",
        "example",
        "examples",
        "title",
        "nullable",
        "externalDocs",
        "discriminator",
        "deprecated",
        "default",
      ].includes(key)
    )
      continue;
    if (key.startsWith("x-") || key === "readOnly") continue;
    if (key === "properties" || key === "patternProperties") {
      const entries = Object.entries(value as Record<string, Schema>);
      result[key] = Object.fromEntries(entries.map(([name, inner]) => [name, convert(inner, needed)]));
    } else if (["items", "not", "additionalProperties"].includes(key) && typeof value === "object") {
      result[key] = convert(value as Schema, needed);
    } else if (["anyOf", "oneOf", "allOf"].includes(key)) {
      // A profile fits "public" and "private" user alike; GitHub tells them apart by a discriminator.
      result[key === "oneOf" ? "anyOf" : key] = (value as Schema[]).map((inner) => convert(inner, needed));
    } else {
      result[key] = value;
    }
  }
  return schema["nullable"] === true ? { anyOf: [result, { type: "null" }] } : result;
}
