/** Turns what zod found into sentences: where, what is wrong, and what to write instead. */
import { z } from "zod";
import { nearest } from "./suggest.ts";
import type { Path } from "./yaml-file.ts";

interface Described {
  type?: string | string[];
  enum?: unknown[];
  default?: unknown;
  description?: string;
  properties?: Record<string, Described>;
  additionalProperties?: Described | boolean;
  items?: Described;
  anyOf?: Described[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
}

/** A schema that can tell of each setting what belongs there. */
export interface Guide {
  /** One problem, without its place in the file. `value` is the whole that was parsed. */
  explain(issue: z.core.$ZodIssue, value: unknown): { path: Path; text: string }[];
}

export function guideOf(schema: z.ZodType): Guide {
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Described;
  return { explain: (issue, value) => explain(root, issue, value) };
}

function explain(root: Described, issue: z.core.$ZodIssue, value: unknown): { path: Path; text: string }[] {
  const node = descend(root, issue.path);
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(node?.properties ?? {});
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      text: unknownKey(key, known, root, issue.path.length === 0),
    }));
  }
  if (issue.code === "invalid_key") {
    const inner = issue.issues[0]?.message ?? "not a name";
    return [{ path: issue.path, text: `the name "${String(issue.path.at(-1))}" is not acceptable. Write ${inner}.` }];
  }
  const found = at(value, issue.path);
  return [{ path: issue.path, text: `${wrong(issue, found)} ${instead(node, issue)}` }];
}

function unknownKey(key: string, known: readonly string[], root: Described, top: boolean): string {
  const near = nearest(key, known);
  if (near) return `there is no such setting. Did you mean \`${near}\`?`;
  const section = top ? sectionWith(root, key) : null;
  if (section) return `it belongs into the section \`${section}:\`. Move it there, indented.`;
  if (!top && root.properties && Object.hasOwn(root.properties, key))
    return "it does not belong into this section. Move it to the top level.";
  return known.length > 0
    ? `there is no such setting. Remove it, or use one of: ${known.join(", ")}.`
    : "there is no such setting. Remove it.";
}

function sectionWith(root: Described, key: string): string | null {
  for (const [name, node] of Object.entries(root.properties ?? {})) {
    if (node.properties && Object.hasOwn(node.properties, key)) return name;
  }
  return null;
}

function wrong(issue: z.core.$ZodIssue, found: unknown): string {
  if (found === undefined) return "nothing stands here.";
  if (issue.code === "too_small" && found === "") return "it is empty.";
  return `${show(found)} will not do.`;
}

function instead(node: Described | null, issue: z.core.$ZodIssue): string {
  const name = String(issue.path.at(-1) ?? "");
  const label = typeof issue.path.at(-1) === "number" ? "" : `${name}: `;
  const example =
    node && node.default !== undefined && isScalarLike(node.default)
      ? `, for instance \`${label}${show(node.default, false)}\``
      : "";
  return `Write ${kindOf(node, issue)}${example}.`;
}

function kindOf(node: Described | null, issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_format" || issue.code === "custom") {
    if (issue.message && !issue.message.startsWith("Invalid ")) return issue.message;
    if (issue.code === "invalid_format" && issue.format === "date") return "a day as YYYY-MM-DD";
  }
  if (!node) return "something else";
  if (node.enum) return `one of ${node.enum.map((value) => String(value)).join(", ")}`;
  if (node.anyOf)
    return node.anyOf
      .map((option) => kindOf(option, { ...issue, code: "custom", message: "" } as z.core.$ZodIssue))
      .join(", or ");
  switch (Array.isArray(node.type) ? node.type[0] : node.type) {
    case "boolean":
      return "true or false";
    case "integer":
      return `a whole number${bound(node)}`;
    case "number":
      return `a number${bound(node)}`;
    case "string":
      return "a text";
    case "array":
      return `a list of ${node.items?.type === "integer" ? "whole numbers" : "texts"}`;
    case "object":
      return node.properties
        ? `a section with some of: ${Object.keys(node.properties).join(", ")}`
        : "a section (name: value, indented)";
    case "null":
      return "null";
    default:
      return "something else";
  }
}

function bound({ minimum, maximum, exclusiveMinimum }: Described): string {
  // The bounds of every safe integer are nobody's wish.
  const most = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : null;
  const least = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : null;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}${most === null ? "" : `, up to ${most}`}`;
  if (least !== null) return most === null ? ` of ${least} or more` : ` from ${least} to ${most}`;
  return most === null ? "" : ` up to ${most}`;
}

function descend(root: Described, path: Path): Described | null {
  let node: Described | null = root;
  for (const step of path) {
    if (!node) return null;
    if (typeof step === "number") node = node.items ?? null;
    else if (node.properties && Object.hasOwn(node.properties, step)) node = node.properties[String(step)] ?? null;
    else node = typeof node.additionalProperties === "object" ? node.additionalProperties : null;
  }
  return node;
}

function at(value: unknown, path: Path): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<PropertyKey, unknown>)[step];
  }
  return current;
}

function isScalarLike(value: unknown): boolean {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

/** Short, on one line, and never a long text that might be a secret. */
function show(value: unknown, quoted = true): string {
  if (typeof value === "string") {
    const short = value.length > 40 ? `${value.slice(0, 12)}…` : value;
    return quoted ? JSON.stringify(short) : short;
  }
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a section";
  return String(value);
}
