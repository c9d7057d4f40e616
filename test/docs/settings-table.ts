/** The settings as a Markdown table, from the schema itself: what `docs/configuration.md` holds between its markers. */
import { z } from "zod";
import { SettingsFile } from "../../config/schema.ts";

export interface Setting {
  /** Dotted, as in `limits.turns`. */
  name: string;
  default: string;
  meaning: string;
}

interface Node {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  properties?: Record<string, Node>;
}

/** Sections that hold names of the operator's own; their form is told in prose. */
const FREE_FORM = new Set(["prices", "tenants", "repositories"]);

export function settings(): Setting[] {
  const root = z.toJSONSchema(SettingsFile, { io: "input", unrepresentable: "any" }) as Node;
  return Object.entries(root.properties ?? {}).flatMap(([name, node]) => settingsOf(name, node));
}

export function settingsTable(): string {
  const rows = settings().map((each) => `| \`${each.name}\` | ${each.default} | ${each.meaning} |`);
  return ["| setting | default | meaning |", "|---|---|---|", ...rows].join("\n");
}

function settingsOf(name: string, node: Node): Setting[] {
  if (node.properties && !FREE_FORM.has(name)) {
    return Object.entries(node.properties).flatMap(([key, inner]) => settingsOf(`${name}.${key}`, inner));
  }
  const choice = node.enum ? `One of ${node.enum.map((value) => `\`${String(value)}\``).join(", ")}` : "";
  const role = /^models\.(\w+)$/.exec(name)?.[1];
  const meaning = [node.description ?? (role ? `Model of the ${role}` : ""), choice].filter(Boolean).join(". ");
  return [{ name, default: written(name, node.default), meaning: meaning.replaceAll("|", "\\|") }];
}

function written(name: string, value: unknown): string {
  if (FREE_FORM.has(name)) return "see below";
  if (value === undefined) return "none";
  const values = Array.isArray(value) && value.length > 0 ? (value as unknown[]) : [value];
  return values.map((item) => `\`${typeof item === "string" ? item : JSON.stringify(item)}\``).join(" ");
}
