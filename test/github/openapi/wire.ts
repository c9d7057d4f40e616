/** Watches the wire: every request and answer is held to GitHub's own description, and a fault fails the test. */
import { Ajv } from "ajv";
import formats from "ajv-formats";
import { ROUTES } from "../../../demo/github/routes.ts";
import { match } from "../../../demo/github/router.ts";
import { type Description, description, type Operation, type Schema } from "./extract.ts";

export const github: Description = description(ROUTES);

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
formats.default(ajv);
ajv.addFormat("repo.nwo", /^[^/\s]+\/[^/\s]+$/);
ajv.addSchema({ $id: "github", schemas: github.schemas });

/** What is wrong with the value, each fault with its place; empty when nothing is. */
export function faultsOf(schema: Schema, value: unknown): string[] {
  const validate = ajv.compile(schema);
  return validate(value) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath || "/"} ${error.message}`);
}

export interface Wire {
  /** In place of `fetch`. */
  fetch: (url: string, init?: RequestInit) => Promise<Response>;
  /** Everything that did not fit, in words. */
  faults: string[];
  /** `METHOD template` of each request that was seen. */
  seen: Set<string>;
}

export function watchWire(): Wire {
  const wire: Wire = {
    faults: [],
    seen: new Set(),
    async fetch(url, init = {}) {
      const method = init.method ?? "GET";
      const path = new URL(url).pathname.replace(/^\/repositories\/\d+/, "/repos/o/r");
      const answer = await fetch(url, init);
      if (path === "/graphql" || path.startsWith("/_played/")) return answer;
      const found = find(method, path);
      if (!found) {
        wire.faults.push(`${method} ${path} is not a route of GitHub`);
        return answer;
      }
      wire.seen.add(`${method} ${found.template}`);
      const say = (faults: string[]): unknown =>
        wire.faults.push(...faults.map((fault) => `${method} ${found.template}: ${fault}`));
      say(requestFaults(found.operation, url, init));
      // Refusals for who we are (401, 403, 404), limits and outages are not listed with each route.
      if (!UNLISTED.has(answer.status)) say(await answerFaults(found.operation, answer.clone()));
      return answer;
    },
  };
  return wire;
}

const UNLISTED = new Set([301, 307, 401, 403, 404, 410, 429, 451, 500, 502, 503, 504]);

function find(method: string, path: string): { template: string; operation: Operation } | null {
  for (const route of ROUTES) {
    if (route.method !== method || !match(route.template, path)) continue;
    const operation = github.paths[route.template]?.[method.toLowerCase()];
    if (operation) return { template: route.template, operation };
  }
  return null;
}

function requestFaults(operation: Operation, url: string, init: RequestInit): string[] {
  const faults: string[] = [];
  for (const [name, value] of new URL(url).searchParams) {
    const parameter = operation.parameters.find((candidate) => candidate.in === "query" && candidate.name === name);
    if (!parameter) faults.push(`query parameter ${name} is not described`);
    else
      faults.push(
        ...faultsOf(parameter.schema, fromQuery(value, parameter.schema)).map(
          (fault) => `query parameter ${name}${fault}`,
        ),
      );
  }
  const body = typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : undefined;
  if (body === undefined) return operation.body?.required ? [...faults, "the body is missing"] : faults;
  if (operation.body === null) return [...faults, "a body is sent that is not described"];
  faults.push(...faultsOf(operation.body.schema, body).map((fault) => `request ${fault}`));
  const known = Object.keys((operation.body.schema["properties"] as object | undefined) ?? {});
  for (const name of Object.keys(body as object)) {
    if (known.length > 0 && !known.includes(name)) faults.push(`request field ${name} is not described`);
  }
  return faults;
}

function fromQuery(value: string, schema: Schema): unknown {
  return schema["type"] === "integer" ? Number(value) : schema["type"] === "boolean" ? value === "true" : value;
}

async function answerFaults(operation: Operation, answer: Response): Promise<string[]> {
  const status = String(answer.status);
  if (!(status in operation.responses)) return [`answer ${status} is not described`];
  const schema = operation.responses[status];
  const text = await answer.text();
  if (!schema) return text === "" ? [] : [`answer ${status} has a body that is not described`];
  return faultsOf(schema, JSON.parse(text)).map((fault) => `answer ${status} ${fault}`);
}
