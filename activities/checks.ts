/** The checks of a commit, as far as our token may see them. */
import { AccessDenied, NotFound } from "../domain/errors.ts";
import type { RepositoryName } from "../domain/ids.ts";
import type { CheckReport, Forge } from "../domain/ports.ts";
import { headOf } from "../domain/text.ts";

/** A check may say 64 kB, and a pipeline may have hundreds: people read them on GitHub, and the coder needs what failed and why. */
const MAX_REPORTS = 500;
const MAX_NAME = 200;
const MAX_SUMMARY = 4_000;
const MAX_SUMMARIES = 25;

/**
 * The checks as they go into the history of a run, where a result may not exceed 2 MB: failures first, then what is pending, and
 * only failures with what they say.
 */
export function fitChecks(reports: readonly CheckReport[]): CheckReport[] {
  const failures = reports.filter(({ state }) => state === "failure");
  const pending = reports.filter(({ state }) => state === "pending");
  const others = reports.filter(({ state }) => state !== "failure" && state !== "pending");
  let summaries = 0;
  return [...failures, ...pending, ...others].slice(0, MAX_REPORTS).map((report) => {
    const told = report.state === "failure" && summaries++ < MAX_SUMMARIES ? report.summary : null;
    return { ...report, name: headOf(report.name, MAX_NAME), summary: told && headOf(told, MAX_SUMMARY) };
  });
}

/** null: the token may not read them. That is told to the person who approves; it is no reason to stop. */
export async function readableChecks(
  forge: Forge,
  repository: RepositoryName,
  sha: string,
): Promise<CheckReport[] | null> {
  try {
    return fitChecks(await forge.checks(repository, sha));
  } catch (error) {
    // GitHub hides what a token may not see behind a 404.
    if (error instanceof AccessDenied || error instanceof NotFound) return null;
    throw error;
  }
}
