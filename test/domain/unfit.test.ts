import { describe, expect, test } from "vitest";
import { failureIn, nondeterminismIn } from "../../domain/unfit.ts";

const SENTENCE =
  "[TMPRL1100] Nondeterminism error: Timer machine does not handle this event: HistoryEvent(id: 21, ActivityTaskScheduled)";

describe("Temporal's sentence about nondeterminism", () => {
  test.each([
    ["alone, as a query is answered", SENTENCE, SENTENCE],
    ["in what its core logs", `Failure { failure: Some(Failure { message: "${SENTENCE}", source: "" })`, SENTENCE],
    ["in what a replay tells", `Details: Failure { message: \\"${SENTENCE}\\", source: \\"\\" }`, SENTENCE],
    ["not in an answer that never came", "4 DEADLINE_EXCEEDED: Deadline exceeded after 2.998s", null],
    ["not in another failure of the code", "TypeError: run.base is null", null],
    ["not in nothing", "", null],
  ])("is found %s", (_where, text, expected) => {
    expect(nondeterminismIn(text)).toBe(expected);
  });
});

test.each([
  ["Connection refused", "Connection refused"],
  [
    'Replay failed. Details: Failure { failure: Some(Failure { message: "No \\"plan\\"\\nwas made", source: "TypeScriptSDK" }) }',
    'No "plan"\nwas made',
  ],
  ["Encoded failure", expect.stringContaining("MERGEWRIGHT_PAYLOAD_KEY")],
  [
    'Failure { message: "Encoded failure", encoded_attributes: [x] }',
    expect.stringMatching(/^the worker has encrypted/),
  ],
])("what a worker failed with is read from %j", (text, said) => {
  expect(failureIn(text)).toEqual(said);
});
