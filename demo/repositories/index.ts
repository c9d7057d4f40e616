/** The demo's code bases: plain files here, made into Git repositories with a history when the demo starts. */
import { createHistory, type DemoCommit } from "./history.ts";
import { littleDuration } from "./little-duration.ts";
import { recurringDates } from "./recurring-dates.ts";

export interface DemoRepository {
  name: string;
  owner: string;
  description: string;
  /** What must be on the machine (or in the sandbox image) to run its tests. */
  needs: "node" | "python";
  /** The issue as its author wrote it. */
  title: string;
  body: string;
  author: string;
  /** Labels that the repository has; the trigger label is the demo's business. */
  labels: string[];
  /** Oldest first. The last one leaves the tree exactly as the folder of this name shows it. */
  commits: DemoCommit[];
}

export const demoRepositories: Readonly<Record<string, DemoRepository>> = {
  [littleDuration.name]: littleDuration,
  [recurringDates.name]: recurringDates,
};

export const DEFAULT_DEMO_REPOSITORY = littleDuration.name;

/**
 * Makes a bare repository of it at `bareDirectory` (which must not exist or be empty), branch `main`. The same commits
 * come out every time. Throws when the name is unknown or Git fails.
 */
export async function createDemoRepository(name: string, bareDirectory: string): Promise<{ headSha: string }> {
  const repository = demoRepositories[name];
  if (!repository) {
    throw new Error(`There is no demo repository "${name}". There are: ${Object.keys(demoRepositories).join(", ")}.`);
  }
  return { headSha: await createHistory(new URL(`${name}/`, import.meta.url), repository.commits, bareDirectory) };
}
