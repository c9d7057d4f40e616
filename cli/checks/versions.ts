/** Runs under way and the workflow code of this version: what does not fit would wait. */
import type { Config } from "../../config/config.ts";
import { UNFIT_MEND } from "../../domain/unfit.ts";
import { findTemporalServer } from "../../workers/temporal-state.ts";
import { withClient } from "../client.ts";
import { ok, warn, type Finding } from "./finding.ts";

/** A doctor is waited for; the rest is told by `mergewright replay`. */
const PATIENCE_MS = 15_000;
const NAME = "Runs under way";

export async function checkVersions(config: Config): Promise<Finding[]> {
  // Whether it answers is another check's.
  if (config.temporal.address === null && findTemporalServer(config.home) === null) return [];
  const { openRuns, replayRuns } = await import("../../workers/replay.ts");
  return withClient(config, async (client) => {
    const open = await openRuns(client);
    if (open.length === 0) return [];
    const until = Date.now() + PATIENCE_MS;
    const tried = new Set<string>();
    const unfit: string[] = [];
    const unread: string[] = [];
    for (const id of open) {
      if (Date.now() > until) break;
      for await (const { workflowId, fits } of replayRuns(client, config, [id])) {
        if (fits === false) unfit.push(workflowId);
        if (fits === null) unread.push(workflowId);
      }
      tried.add(id);
    }
    const rest = open.length - tried.size;
    const more = rest > 0 ? ` ${rest} more were not tried: \`mergewright replay\` tries all.` : "";
    if (unfit.length > 0)
      return [
        warn(NAME, `Not fitting this version: ${unfit.slice(0, 5).join(", ")} (${unfit.length}).${more}`, UNFIT_MEND),
      ];
    if (unread.length > 0)
      return [
        warn(
          NAME,
          `Their histories could not be replayed: ${unread.slice(0, 5).join(", ")} (${unread.length}).${more}`,
          "`mergewright replay ID` tells why.",
        ),
      ];
    return [ok(NAME, `${tried.size} fit this version.${more}`)];
  });
}
