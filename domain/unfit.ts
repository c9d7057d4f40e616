/** Whether a run does not fit the workflow code of a worker: what Temporal says of it, and what a person is told. */

/** Temporal's sentence about decisions that the code no longer makes, from wherever it stands; null: there is none. */
export function nondeterminismIn(text: string): string | null {
  return /\[TMPRL1100\][^"\\]*/.exec(text)?.[0].trim() ?? null;
}

/** What to do about a run that waits because of it. */
export const UNFIT_MEND =
  "It waits, and nothing of it is lost: start the version again that it began with, or reject it and start it anew. `mergewright replay` tells which runs a version fits.";
