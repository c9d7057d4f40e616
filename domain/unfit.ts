/** Whether a run does not fit the workflow code of a worker: what Temporal says of it, and what a person is told. */

/** Temporal's sentence about decisions that the code no longer makes, from wherever it stands; null: there is none. */
export function nondeterminismIn(text: string): string | null {
  return /\[TMPRL1100\][^"\\]*/.exec(text)?.[0].trim() ?? null;
}

/** What Temporal says for a failure that a worker with a payload key has encrypted. */
const ENCODED = "Encoded failure";
const ENCODED_SAID =
  "the worker has encrypted why, and its log tells it; most likely a key is missing there in MERGEWRIGHT_PAYLOAD_KEY";

/** A worker's failure as people read it, from wherever Temporal quotes it: `Failure { message: "...", ... }`, or alone. */
export function failureIn(text: string): string {
  const quoted = /Failure \{ message: "((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  const said = quoted === undefined ? text : quoted.replaceAll("\\n", "\n").replaceAll(/\\(["\\])/g, "$1");
  return said.replaceAll(ENCODED, ENCODED_SAID);
}

/** What to do about a run that waits because of it. */
export const UNFIT_MEND =
  "It waits, and nothing of it is lost: start the version again that it began with, or reject it and start it anew. `mergewright replay` tells which runs a version fits.";
