/** Whether an agent goes round in circles: pure, decided by what it called lately and what came back. */

/** The tool calls of one reply and their results, as digests. */
export interface Step {
  call: string;
  result: string;
}

/** As many of the last steps as any pattern needs. */
export const REMEMBERED_STEPS = 12;
/** An agent that was warned and is stuck again within so many turns is given up; later it is a new matter. */
export const WARNING_HOLDS_TURNS = 20;

/** The same call with the same result teaches nothing new: three may be a check and its repetition, four are a circle. */
const SAME_CALL_SAME_RESULT = 4;
/** With changing results it may be waiting for something, for a while. */
const SAME_CALL = 10;
/** Two calls in turn, a pair each: trying one way and then the other, to no effect. */
const SAME_PAIRS_SAME_RESULTS = 3;
const SAME_PAIRS = 6;

/** The circle that the last steps make, in words, or null. The newest step is the last. */
export function circleIn(steps: readonly Step[]): string | null {
  if (endsWithCycle(steps, 1, SAME_CALL_SAME_RESULT, sameStep)) {
    return `the same call was made ${SAME_CALL_SAME_RESULT} times in a row, with the same result`;
  }
  if (endsWithCycle(steps, 1, SAME_CALL, sameCall)) return `the same call was made ${SAME_CALL} times in a row`;
  if (endsWithCycle(steps, 2, SAME_PAIRS_SAME_RESULTS, sameStep)) {
    return `the same two calls were made in turn ${SAME_PAIRS_SAME_RESULTS} times, with the same results`;
  }
  if (endsWithCycle(steps, 2, SAME_PAIRS, sameCall)) {
    return `the same two calls were made in turn ${SAME_PAIRS} times`;
  }
  return null;
}

function endsWithCycle(
  steps: readonly Step[],
  period: number,
  times: number,
  same: (a: Step, b: Step) => boolean,
): boolean {
  const last = steps.slice(-period * times);
  return last.length === period * times && last.every((step, index) => same(step, last[index % period]!));
}

function sameStep(a: Step, b: Step): boolean {
  return sameCall(a, b) && a.result === b.result;
}

function sameCall(a: Step, b: Step): boolean {
  return a.call === b.call;
}
