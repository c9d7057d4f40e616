/** The activities of upkeep, made from the configuration. */
import type { Installation } from "../activities/artifacts.ts";
import type { Ports } from "../activities/index.ts";
import { createDeliveriesAgain } from "../activities/failed-deliveries.ts";
import { createMemoryUpkeep } from "../activities/memory-upkeep.ts";
import { createReconcile } from "../activities/reconcile.ts";
import type { UpkeepActivities } from "../activities/upkeep.ts";
import { createRetention, type StoredPayloads } from "../activities/retention.ts";
import type { Config } from "../config/config.ts";
import { createPlainArtifacts } from "./artifacts.ts";
import { lastPayloadAt, removePayloads, workflowsWithPayloads } from "./payloads/stored.ts";

export function createUpkeep(
  config: Config,
  { forge, artifacts, memory }: Ports,
  installation: Installation,
): UpkeepActivities {
  const own = [...config.tenants].flatMap(([owner, { githubAuth }]) =>
    githubAuth === null ? [] : [[owner, githubAuth.kind] as const],
  );
  return {
    ...createDeliveriesAgain(),
    ...createReconcile({
      forge,
      triggers: config.triggers,
      credentials: { ours: config.github.auth?.kind ?? null, byOwner: new Map(own) },
      repositories: config.repositories,
    }),
    ...createMemoryUpkeep({ memory, settingsFor: (repository) => config.settingsFor(repository) }),
    ...createRetention({ artifacts, days: config.artifactsDays, payloads: storedPayloads(config), installation }),
  };
}

export function storedPayloads(config: Pick<Config, "artifacts" | "temporal">): StoredPayloads {
  const store = createPlainArtifacts(config);
  const { namespace } = config.temporal;
  return {
    workflows: () => workflowsWithPayloads(store, namespace),
    lastAt: (workflowId) => lastPayloadAt(store, namespace, workflowId),
    remove: (workflowId, before) => removePayloads(store, namespace, workflowId, before),
  };
}
