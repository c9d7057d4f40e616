/** How a client names a run. */
import { z } from "zod";
import { parseRunId } from "../../domain/ids.ts";

export const RunId = z
  .string()
  .refine((text) => parseRunId(text) !== null, "not a run: write OWNER/REPO#NUMBER, or issue/OWNER/REPO/NUMBER")
  .describe("OWNER/REPO#NUMBER, or a workflow id such as issue/owner/repo/5");

/** The workflow id. */
export function runIdOf(text: string): string {
  return parseRunId(text)!;
}
