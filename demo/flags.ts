/** What the demo can be asked for on its command line. */
import { parseArgs } from "node:util";
import { DEFAULT_DEMO_REPOSITORY, demoRepositories } from "./repositories/index.ts";

export interface Flags {
  repository: string;
  keep: boolean;
  json: boolean;
  live: boolean;
  help: boolean;
}

export const HELP = `Usage: npm run demo -- [--repository NAME] [--keep] [--json] [--live]

  --repository NAME  ${Object.keys(demoRepositories).join(" or ")} (default ${DEFAULT_DEMO_REPOSITORY})
  --keep             stay up when it is done, so that you can look around; Ctrl-C ends it
  --json             one JSON document on standard output, and nothing else there
  --live             ask Claude itself (ANTHROPIC_API_KEY); GitHub stays a local one
`;

/** The flags, or what is wrong with them. */
export function readFlags(args: string[]): Flags | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        repository: { type: "string", default: DEFAULT_DEMO_REPOSITORY },
        keep: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        live: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (!Object.hasOwn(demoRepositories, values.repository)) return `There is no demo repository ${values.repository}.`;
    return values;
  } catch (error) {
    return (error as Error).message;
  }
}
