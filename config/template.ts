/** The `mergewright.yaml` that `mergewright init` writes: every setting with its meaning and its default. */
import { Scalar, stringify } from "yaml";
import { z } from "zod";
import { SettingsFile } from "./schema.ts";

interface Described {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  properties?: Record<string, Described>;
}

const HEAD = `# Mergewright: how it works on your repositories.
# Every setting stands here with its default: keep what you change, the rest may go. Secrets belong into the environment.
# \`mergewright doctor\` tells whether everything is in order.
`;

const EXAMPLES: Readonly<Record<string, string>> = {
  test_command: "npm test",
  setup_command: "npm ci --offline",
  image: "node:22-bookworm",
  memory: "4g",
  cpus: "2",
};

const TENANTS = `
# Secrets of single GitHub owners, by the names of the environment variables that hold them.
# tenants:
#   acme:
#     webhook_secret: { env: ACME_WEBHOOK_SECRET }
#     github_token: { env: ACME_GITHUB_TOKEN } # or github_app: { id: 1234, private_key: { env: ACME_APP_KEY } }
#     anthropic_api_key: { env: ACME_ANTHROPIC_API_KEY }

# Settings of single repositories, over the ones above.
# repositories:
#   acme/webshop:
#     test_command: npm test
#     limits:
#       budget_usd: 25
`;

export function settingsTemplate(): string {
  const schema = z.toJSONSchema(SettingsFile, { io: "input", unrepresentable: "any" }) as Described;
  const properties = { ...schema.properties };
  delete properties.tenants;
  delete properties.repositories;
  return `${HEAD}${Object.entries(properties)
    .map(([name, node]) => setting(name, node, SettingsFile.shape[name as keyof SettingsFile], ""))
    .join("")}${TENANTS}`;
}

function setting(name: string, node: Described, schema: z.ZodType | undefined, indent: string): string {
  const lead = `${indent === "" ? "\n" : ""}${comment(node, indent)}`;
  if (node.properties) {
    const inner = Object.entries(node.properties).map(([key, child]) => setting(key, child, undefined, `${indent}  `));
    return `${lead}${indent}${name}:\n${inner.join("")}`;
  }
  const standard = node.default !== undefined ? node.default : schema?.safeParse(undefined).data;
  if (standard === undefined) return `${lead}${indent}# ${name}: ${EXAMPLES[name] ?? "..."}\n`;
  const text = stringify(
    { [name]: plain(standard) },
    { lineWidth: 120, flowCollectionPadding: true, collectionStyle: "any" },
  );
  return lead + text.replace(/^(?=.)/gm, indent);
}

function comment(node: Described, indent: string): string {
  const parts = [node.description, node.enum ? `One of ${node.enum.join(", ")}` : undefined].filter(Boolean);
  return parts.map((part) => `${indent}# ${part}\n`).join("");
}

/** A date must stay a text when it is read again. */
function plain(value: unknown): unknown {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return value;
  const scalar = new Scalar(value);
  scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}
