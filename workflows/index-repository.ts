/** Brings the index of a repository's code up to date, beside the runs. One for each repository: who comes meanwhile is served, too. */
import { condition, setCurrentDetails, setHandler } from "@temporalio/workflow";
import type { IndexRequest } from "../activities/memory-contract.ts";
import type { IndexReport } from "../domain/memory-ports.ts";
import { indexCode } from "./activities.ts";
import { indexSignal } from "./messages.ts";

/** Its result tells what the last round did; how far a round is stands in the heartbeat of its activity. */
export async function indexRepository({ repository }: { repository: string }): Promise<IndexReport | null> {
  let wanted: IndexRequest | null = null;
  let report: IndexReport | null = null;
  setHandler(indexSignal, (request) => void (wanted = request));
  // The order that started it may be handed over after the start.
  await condition(() => wanted !== null, "1 minute");
  for (let next = take(); next !== null; next = take()) {
    setCurrentDetails(`indexing ${next.branch} of ${repository}`);
    report = await indexCode(next);
    setCurrentDetails(
      report === null
        ? "not indexed: the repository was forgotten, or is called otherwise now"
        : `\`${report.commit}\`: ${report.files} files, ${report.changed} of them read anew${report.lacking === undefined ? "" : `; some without embeddings: ${report.lacking}`}`,
    );
  }
  return report;

  function take(): IndexRequest | null {
    const next = wanted;
    wanted = null;
    return next;
  }
}
