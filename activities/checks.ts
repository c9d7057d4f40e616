/** The checks of a commit, as far as our token may see them. */
import { AccessDenied, NotFound } from "../domain/errors.ts";
import type { RepositoryName } from "../domain/ids.ts";
import type { CheckReport, Forge } from "../domain/ports.ts";

/** null: the token may not read them. That is told to the person who approves; it is no reason to stop. */
export async function readableChecks(
  forge: Forge,
  repository: RepositoryName,
  sha: string,
): Promise<CheckReport[] | null> {
  try {
    return await forge.checks(repository, sha);
  } catch (error) {
    // GitHub hides what a token may not see behind a 404.
    if (error instanceof AccessDenied || error instanceof NotFound) return null;
    throw error;
  }
}
