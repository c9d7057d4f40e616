/** Forgets what is past its time, repository by repository, each by its own settings, and has embedded what is not yet. */
import type { RepositoryName } from "../domain/ids.ts";
import { pastTheirTime } from "../domain/memory-retention.ts";
import type { MemoryReport } from "../domain/memory-report.ts";
import type { MemoryPort } from "../domain/memory-ports.ts";
import type { RunSettings } from "../domain/settings.ts";
import { working } from "./temporal.ts";
import type { UpkeepActivities } from "./upkeep.ts";

export interface MemoryUpkeepParts {
  memory: MemoryPort;
  settingsFor(repository: RepositoryName): RunSettings;
}

export function createMemoryUpkeep({
  memory: { experience },
  settingsFor,
}: MemoryUpkeepParts): Pick<UpkeepActivities, "forgetOldMemories"> {
  return {
    forgetOldMemories: ({ now }) =>
      working(async ({ signal, beat }): Promise<MemoryReport> => {
        const report: MemoryReport = { repositories: 0, forgotten: 0, embedded: 0, lacking: null };
        for (const scope of await experience.scopes(signal)) {
          const memories = await experience.list(scope, {}, signal);
          const gone = pastTheirTime(memories, settingsFor(scope.repository).memory, new Date(now));
          if (gone.length > 0) report.forgotten += (await experience.forget(scope, { ids: gone }, signal)).length;
          report.repositories += 1;
          // Where the service does not answer it need not be asked for each repository.
          if (report.lacking === null) {
            const { embedded, lacking } = await experience.embedRest(scope, signal);
            report.embedded += embedded;
            report.lacking = lacking;
          }
          beat(report);
        }
        return report;
      }),
  };
}
