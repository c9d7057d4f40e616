/** The activities of upkeep, made from the configuration. */
import type { Ports } from "../activities/index.ts";
import { createReconcile } from "../activities/reconcile.ts";
import type { UpkeepActivities } from "../activities/upkeep.ts";
import type { Config } from "../config/config.ts";

export function createUpkeep(config: Config, { forge }: Ports): UpkeepActivities {
  const own = [...config.tenants].flatMap(([owner, { githubAuth }]) =>
    githubAuth === null ? [] : [[owner, githubAuth.kind] as const],
  );
  return {
    ...createReconcile({
      forge,
      triggers: config.triggers,
      credentials: { ours: config.github.auth?.kind ?? null, byOwner: new Map(own) },
      repositories: config.repositories,
    }),
  };
}
