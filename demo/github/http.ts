/** What a route takes and gives, and the refusals in GitHub's words. */
import type { IncomingMessage } from "node:http";

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** An answer that ends a route early. */
export class Refusal extends Error {
  readonly answer: Answer;
  constructor(status: number, message: string, errors?: unknown[], headers?: Record<string, string>) {
    super(message);
    const documentation = { documentation_url: "https://docs.github.com/rest", status: String(status) };
    this.answer = {
      status,
      body: { message, ...(errors && { errors }), ...documentation },
      ...(headers && { headers }),
    };
  }
}

export const notFound = (): Refusal => new Refusal(404, "Not Found");
export const forbidden = (message: string): Refusal => new Refusal(403, message);

/** A 422 about one field of the request. */
export function invalid(resource: string, field: string, code: string, message?: string): Refusal {
  return new Refusal(422, "Validation Failed", [{ resource, field, code, ...(message !== undefined && { message }) }]);
}

/** A 422 whose reason is a sentence. */
export function unprocessable(resource: string, message: string): Refusal {
  return new Refusal(422, "Validation Failed", [{ resource, code: "custom", message }]);
}

/** GitHub takes payloads of this size and no larger ones. */
const MAX_BODY_BYTES = 30_000_000;

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Refusal(413, "Payload too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export type Fields = Readonly<Record<string, unknown>>;

export function parseJson(body: Buffer): Fields {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
    // Some routes take a bare list; it travels under a name of ours.
    if (Array.isArray(value)) return { list: value };
  } catch {
    throw new Refusal(400, "Problems parsing JSON");
  }
  throw new Refusal(400, "Body should be a JSON object");
}

/** A string of the body; absent is null, another type a 422. */
export function text(fields: Fields, name: string, resource: string): string | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "string") throw invalid(resource, name, "invalid");
  return value;
}

export function requiredText(fields: Fields, name: string, resource: string): string {
  const value = text(fields, name, resource);
  if (value === null || value.trim() === "") throw invalid(resource, name, "missing_field");
  return value;
}

export function texts(value: unknown, name: string, resource: string): string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
    throw invalid(resource, name, "invalid");
  return value;
}

/** GitHub's limit, in characters. */
export function checkLength(body: string | null, resource: string): string | null {
  if (body !== null && Array.from(body).length > 65_536) {
    throw invalid(resource, "body", "custom", "body is too long (maximum is 65536 characters)");
  }
  return body;
}
