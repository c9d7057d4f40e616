import { describe, expect, it } from "vitest";
import { circleIn, REMEMBERED_STEPS, type Step } from "../../domain/stuck.ts";

/** "a1 b2": call a with result 1, then call b with result 2. */
function steps(text: string): Step[] {
  return text
    .split(" ")
    .filter(Boolean)
    .map((word) => ({ call: word[0]!, result: word.slice(1) }));
}

const times = (text: string, count: number): string => Array.from({ length: count }, () => text).join(" ");
/** With another result each time. */
const changing = (calls: string): string =>
  calls
    .split("")
    .map((call, index) => `${call}${index}`)
    .join(" ");

describe("an agent", () => {
  it.each([
    ["nothing yet", ""],
    ["three equal calls", times("a1", 3)],
    ["four equal calls with one other between", "a1 a1 b1 a1 a1"],
    ["the same call with new results, as one who waits", changing("aaaaaaaaa")],
    ["an edit, the tests, another edit, the tests", "a1 t1 b1 t1 c1 t1 d1 t1 e1 t1"],
    ["two pairs", "a1 b1 a1 b1"],
    ["five pairs with new results", changing("ababababab")],
    ["a circle that it has left", `${times("a1", 4)} b1`],
  ])("does not go round in circles after %s", (_what, text) => {
    expect(circleIn(steps(text))).toBeNull();
  });

  it.each([
    ["four equal calls and results", times("a1", 4), "the same call was made 4 times"],
    ["other work before them", `x1 y1 z1 ${times("a1", 4)}`, "the same call was made 4 times"],
    ["ten equal calls", changing("aaaaaaaaaa"), "the same call was made 10 times"],
    ["three equal pairs", times("a1 b2", 3), "two calls were made in turn 3 times"],
    ["six pairs with new results", changing("abababababab"), "two calls were made in turn 6 times"],
  ])("goes round in circles after %s", (_what, text, said) => {
    expect(circleIn(steps(text))).toContain(said);
    expect(circleIn(steps(text).slice(-REMEMBERED_STEPS))).toContain(said);
  });
});
