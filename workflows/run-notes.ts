import type { RecalledKeys } from "../activities/contract.ts";

/** What the end of a run tells of its middle. */
export interface RunNotes {
  recalled: RecalledKeys;
  cause: string | null;
  summary: string | null;
  rounds: number;
  lessons: string[];
}

export function noNotes(): RunNotes {
  return { recalled: {}, cause: null, summary: null, rounds: 0, lessons: [] };
}
