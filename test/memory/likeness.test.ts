import { expect, it } from "vitest";
import { likenessOf } from "../../bench/memory/likeness.ts";

const right = (score: number) => ({ score, useful: true });
const wrong = (score: number) => ({ score, useful: false });
const all = [
  { best: [right(0.9), wrong(0.8)], hasUseful: true },
  { best: [wrong(0.9), right(0.8)], hasUseful: true },
  { best: [wrong(0.6)], hasUseful: true },
  { best: [], hasUseful: false },
];

it.each([
  [0.5, { shown: 0.75, useful: 0.333, wrong: 0.5, kept: 0.667 }],
  [0.7, { shown: 0.5, useful: 0.5, wrong: 0.25, kept: 0.667 }],
  [0.85, { shown: 0.5, useful: 0.5, wrong: 0.25, kept: 0.333 }],
  [0.95, { shown: 0, useful: 0, wrong: 0, kept: 0 }],
])("A threshold of %d shows, keeps and errs as the most alike of each issue have it", (threshold, expected) => {
  expect(likenessOf(all, threshold)).toEqual({ threshold, ...expected });
});
