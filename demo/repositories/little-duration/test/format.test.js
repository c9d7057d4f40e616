import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration } from "../src/index.js";

const cases = [
  [0, "0s"],
  [400, "0s"],
  [1_000, "1s"],
  [1_600, "2s"],
  [61_000, "1m 1s"],
  [3_600_000, "1h"],
  [5_400_000, "1h 30m"],
  [93_784_000, "1d 2h 3m 4s"],
  [-5_400_000, "-1h 30m"],
];

for (const [ms, text] of cases) {
  test(`${ms} ms is "${text}"`, () => {
    assert.equal(formatDuration(ms), text);
  });
}

test("units cuts the smaller units off and rounds the last one", () => {
  assert.equal(formatDuration(93_784_000, { units: 1 }), "1d");
  assert.equal(formatDuration(93_784_000, { units: 2 }), "1d 2h");
  assert.equal(formatDuration(5_430_000, { units: 2 }), "1h 31m");
});

test("separator stands between two units", () => {
  assert.equal(formatDuration(5_400_000, { separator: ", " }), "1h, 30m");
});

test("what is not a number of milliseconds is refused", () => {
  assert.throws(() => formatDuration(Number.NaN), TypeError);
  assert.throws(() => formatDuration(Infinity), TypeError);
  assert.throws(() => formatDuration(1_000, { units: 0 }), RangeError);
});
