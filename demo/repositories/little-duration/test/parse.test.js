import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "../src/index.js";

const cases = [
  ["5s", 5_000],
  ["1h 30m", 5_400_000],
  ["1h30m", 5_400_000],
  ["90 minutes", 5_400_000],
  ["1 day, 2 hours", 93_600_000],
  ["1.5h", 5_400_000],
  ["1,5h", 5_400_000],
  ["-2d", -172_800_000],
  ["0s", 0],
];

for (const [text, ms] of cases) {
  test(`"${text}" is ${ms} ms`, () => {
    assert.equal(parseDuration(text), ms);
  });
}

for (const text of ["", "  ", "-", "h", "10", "3 parsecs", "1h and more"]) {
  test(`"${text}" is not a duration`, () => {
    assert.throws(() => parseDuration(text), RangeError);
  });
}
