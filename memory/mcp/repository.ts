/** How a client names a repository of GitHub. */
import { z } from "zod";
import { isRepositoryName } from "../../domain/ids.ts";

export const Repository = z
  .string()
  .refine(isRepositoryName, "must be OWNER/NAME")
  .describe("OWNER/NAME of a repository that Mergewright works on");
