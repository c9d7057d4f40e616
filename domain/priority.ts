/** Who is next when more runs wait for room than there is: pure, from an issue's repository and labels. */
import type { RepositoryName } from "./ids.ts";

/** As Temporal has it: 1 is first, 3 is usual, 5 is last. */
export interface QueuePriority {
  priorityKey: number;
  /** Those of one key are served in turns with those of the others, however many there are of each. */
  fairnessKey: string;
}

/** Where nothing else is said; Temporal's own default. */
export const USUAL_PRIORITY = 3;
/** Deliveries carry what people want of runs that are there already; they go before all work. */
export const DELIVERY_PRIORITY = 1;
/** What no run waits for: its repository's index, and writing down what is remembered. */
export const BESIDE_PRIORITY = 5;
/** Temporal cuts longer keys off, in bytes. */
const MAX_KEY = 64;

/** The most urgent label counts; labels are compared without case, as GitHub does. */
export function priorityOf(
  repository: RepositoryName,
  labels: readonly string[],
  byLabel: Readonly<Record<string, number>>,
): QueuePriority {
  const known = new Map(Object.entries(byLabel).map(([label, priority]) => [label.toLowerCase(), priority]));
  const asked = labels.flatMap((label) => known.get(label.toLowerCase()) ?? []);
  return {
    priorityKey: asked.length > 0 ? Math.min(...asked) : USUAL_PRIORITY,
    fairnessKey: fairnessKeyOf(repository),
  };
}

/** Of a name that is too long its end: two that end alike would only share their turns. */
export function fairnessKeyOf(repository: RepositoryName): string {
  return repository.toLowerCase().slice(-MAX_KEY);
}
