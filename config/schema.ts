/** What may stand in `mergewright.yaml`: the settings of all repositories, and of single ones over them. */
import { z } from "zod";
import { isRepositoryName } from "../domain/ids.ts";
import { Price, RepositorySettings, Triggers, Upkeep } from "../domain/settings.ts";
import { PRICES, PRICES_AS_OF } from "./prices.ts";

/** A secret, as the name of the environment variable that holds it, or (with a warning) as it is. */
export const SecretReference = z.union([
  z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable") }),
  z.string().min(1),
]);
export type SecretReference = z.infer<typeof SecretReference>;

export const TenantSettings = z.strictObject({
  webhook_secret: SecretReference.optional().describe("Checks this owner's deliveries"),
  github_token: SecretReference.optional().describe("Used for this owner's repositories"),
  github_app: z
    .strictObject({ id: z.int().positive(), private_key: SecretReference })
    .optional()
    .describe("Instead of github_token"),
  anthropic_api_key: SecretReference.optional().describe("Pays for this owner's runs"),
});

/** Temporal refuses a payload of two megabytes, and one request of ours may carry several. */
const MAX_INLINE_BYTES = 1_048_576;

export const Storage = z.strictObject({
  inline_bytes: z
    .int()
    .min(1024)
    .max(MAX_INLINE_BYTES)
    .default(32_768)
    .describe("Temporal payloads of this size or more go to the artifact store instead of into the history"),
});

export const Retention = z.strictObject({
  artifacts_days: z
    .number()
    .min(0)
    .default(30)
    .describe("What a run has stored is removed so many days after its issue's last run ended; 0 keeps it for ever"),
});

const Owner = z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/, "the login of a GitHub user or organisation");
const Repository = z.string().refine(isRepositoryName, "owner/name, as GitHub has it");

/** Checked again by `RepositorySettings` once it lies over the settings of all repositories. */
const PartialSettings = z.record(z.string(), z.unknown());

export const SettingsFile = z.strictObject({
  ...RepositorySettings.shape,
  triggers: Triggers.prefault({}).describe("What starts a run; the person behind it must have write permission"),
  upkeep: Upkeep.prefault({}).describe("What the product does for itself now and then"),
  prices: z
    .record(z.string().min(1), Price)
    .default(() => structuredClone(PRICES))
    .describe("By model, in US dollars for a million tokens; models that are not named here keep the built-in price"),
  prices_as_of: z.iso.date().default(PRICES_AS_OF).describe("When the prices were looked up"),
  storage: Storage.prefault({}).describe("What goes where"),
  retention: Retention.prefault({}).describe("How long things are kept"),
  tenants: z.record(Owner, TenantSettings).default({}).describe("Secrets of single GitHub owners"),
  repositories: z
    .record(Repository, PartialSettings)
    .default({})
    .describe("Settings of single repositories, over the ones above"),
});
export type SettingsFile = z.infer<typeof SettingsFile>;
