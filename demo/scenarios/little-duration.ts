/** What a model said about `little-duration`, turn by turn: one mistake found by the reviewer and mended. */
import { aboutIssue, bash, replace, view, type Scenario } from "../model/scenario.ts";
import { littleDuration as repository } from "../repositories/little-duration.ts";
import { answer, turn } from "./turns.ts";

export const littleDuration: Scenario = {
  name: repository.name,
  matches: aboutIssue(repository.title),
  classifier: [
    answer({
      category: "bug",
      summary:
        'formatDuration rounds the seconds up to 60 without carrying, so that it writes "59m 60s" where "1h" is right.',
      reason: "An existing function gives a wrong result for valid input, and the author shows which one.",
    }),
  ],
  planner: [
    turn(
      "I begin with the layout, the function that is named, and its tests.",
      bash("git log --oneline | head -5; git ls-files; cat package.json"),
      view("src/format.js"),
      view("test/format.test.js"),
    ),
    turn(
      "The last unit is rounded after the larger ones were cut off, so it can reach a full one of the next unit. I check that with the issue's numbers.",
      bash(
        `node --input-type=module -e 'import { formatDuration as f } from "./src/index.js"; for (const ms of [3599700, 59700, 3599499]) console.log(ms, f(ms))'`,
      ),
    ),
    answer({
      cause:
        'formatDuration in src/format.js takes Math.floor of every unit but the last and Math.round of the last one. When the seconds round up to 60 nothing is carried: 3599700 ms is 59m and 59.7s, and becomes "59m 60s" (seen).',
      steps: [
        "Add failing cases to test/format.test.js for 59700 (1m) and 3599700 (1h).",
        "In src/format.js, round the whole duration before it is split into units, so that the split starts from a number that needs no more rounding.",
        "Add a line under Unreleased in CHANGELOG.md.",
      ],
      files: ["src/format.js", "test/format.test.js", "CHANGELOG.md"],
      test: 'test/format.test.js: formatDuration(59700) is "1m" and formatDuration(3599700) is "1h"; run with `node --test`.',
      risks: ["The unit that is rounded depends on the option `units`; its existing tests must stay as they are."],
    }),
  ],
  coder: [
    [
      turn(
        "I look at the code and its tests, and see the problem with my own eyes.",
        view("src/format.js"),
        bash("cat test/format.test.js; head -12 CHANGELOG.md"),
        bash(
          `node --input-type=module -e 'import { formatDuration as f } from "./src/index.js"; console.log(f(3599700), "|", f(59700), "|", f(3599499))'`,
        ),
      ),
      turn(
        "Reproduced. The test comes first: the two cases of the issue, and the neighbour that is right today.",
        replace(
          "test/format.test.js",
          '  [61_000, "1m 1s"],\n',
          '  [61_000, "1m 1s"],\n  [59_499, "59s"],\n  [59_700, "1m"],\n  [3_599_700, "1h"],\n  [86_399_500, "1d"],\n',
        ),
      ),
      turn(
        "It must fail now, and for this reason.",
        bash("node --test 2>&1 | grep -E '^(not ok|✖|(#|ℹ) (pass|fail))|59m 60s'"),
      ),
      turn(
        "It does. Now the cause: round first, then split.",
        replace(
          "src/format.js",
          "  let rest = Math.abs(ms);\n",
          "  // Rounded before it is split: 59.7 seconds are a minute, and may make the hour full.\n  let rest = Math.round(Math.abs(ms) / 1_000) * 1_000;\n",
        ),
        replace(
          "CHANGELOG.md",
          "## Unreleased\n",
          '## Unreleased\n\n- `formatDuration` carries when seconds round up: "1h", not "59m 60s".\n',
        ),
      ),
      turn(
        "The whole suite, and what I leave behind.",
        bash("npm test 2>&1 | tail -9"),
        bash("git status --short; git diff"),
      ),
      turn(
        `formatDuration rounded the last unit after the larger ones had been cut off, so 59.7 seconds became "60s" and nothing was carried.

It now rounds to whole seconds before it splits, in src/format.js. Four new cases in test/format.test.js prove it: two of the issue, one below the limit, one that carries through to the day. They failed before (59m 60s, 60s) and pass now; \`npm test\` passes as a whole. CHANGELOG.md has a line.

Look closely at the option \`units\`: there the last unit is still rounded at the end, as before.`,
      ),
    ],
    [
      turn(
        "The reviewer is right that the same mistake stands one unit higher. I see it fail first.",
        bash(
          `node --input-type=module -e 'import { formatDuration as f } from "./src/index.js"; console.log(f(86380000, { units: 2 }), "|", f(3590000, { units: 1 }))'`,
        ),
        view("src/format.js"),
      ),
      turn(
        "A test for it, beside the others of `units`.",
        replace(
          "test/format.test.js",
          'test("separator stands',
          `test("rounding with units carries into the larger unit", () => {
  assert.equal(formatDuration(86_380_000, { units: 2 }), "1d");
  assert.equal(formatDuration(3_590_000, { units: 1 }), "1h");
  assert.equal(formatDuration(-86_380_000, { units: 2 }), "-1d");
});

test("separator stands`,
        ),
        bash("node --test 2>&1 | grep -E '^(not ok|✖|(#|ℹ) (pass|fail))|23h 60m'"),
      ),
      turn(
        "Now round to the smallest unit that is shown, whichever that is; what carries may bring in a larger first unit, so the units are chosen again after it.",
        replace(
          "src/format.js",
          `  // Rounded before it is split: 59.7 seconds are a minute, and may make the hour full.
  let rest = Math.round(Math.abs(ms) / 1_000) * 1_000;
  const shown = shownUnits(rest, units);
  const parts = shown.map((unit, index) => {
    const exact = rest / unit.ms;
    const count = index === shown.length - 1 ? Math.round(exact) : Math.floor(exact);
    rest -= count * unit.ms;
`,
          `  // Rounded before it is split: 59.7 seconds are a minute, and may make the hour full.
  let rest = roundToShown(Math.abs(ms), units);
  const parts = shownUnits(rest, units).map((unit) => {
    const count = Math.floor(rest / unit.ms);
    rest -= count * unit.ms;
`,
        ),
        replace(
          "src/format.js",
          "/** The largest unit that fits,",
          `/** To a multiple of the smallest unit that will be shown. */
function roundToShown(ms, count) {
  const smallest = shownUnits(ms, count).at(-1);
  return Math.round(ms / smallest.ms) * smallest.ms;
}

/** The largest unit that fits,`,
        ),
      ),
      turn(
        "Everything again, and a sweep over many durations that no part ever reaches its next unit.",
        bash("npm test 2>&1 | tail -9"),
        bash(
          `node --input-type=module -e 'import { formatDuration as f } from "./src/index.js"; let bad = 0; for (let ms = 0; ms < 2e8; ms += 7919) for (const units of [1, 2, 3, 4]) if (/(^|\\s)(60[ms]|24h)/.test(f(ms, { units }))) bad += 1; console.log("wrong:", bad)'`,
        ),
        bash("git diff --stat"),
      ),
      turn(
        `The same mistake with the option \`units\` is mended: the duration is rounded to the smallest unit that will be shown, and the units are chosen after that, so 23h 59m 40s with two units is "1d" and no longer "23h 60m".

A new test has the three cases; it failed before this round. \`npm test\` passes, and a sweep over 100,000 durations found no "60s", "60m" or "24h".`,
      ),
    ],
  ],
  reviewer: [
    [
      turn(
        "I run the suite, and try the neighbours of the case that was reported.",
        bash("npm test 2>&1 | tail -9"),
        bash(
          `node --input-type=module -e 'import { formatDuration as f } from "./src/index.js"; console.log(f(59700), f(-59700), f(3599700), f(0)); console.log(f(86380000, { units: 2 }), "|", f(3590000, { units: 1 }))'`,
        ),
        bash("grep -n 'Math.round' src/format.js"),
      ),
      answer({
        verdict: "request-changes",
        summary:
          "The reported case is solved at its cause, the new tests fail without the change and the suite passes. The same carry is still lost one unit higher when `units` cuts off the seconds.",
        findings: [
          {
            path: "src/format.js",
            line: 13,
            severity: "should-fix",
            finding:
              'Rounding to seconds only helps when seconds are the last unit shown. With `units` the last one is still rounded after the cut: formatDuration(86380000, { units: 2 }) gives "23h 60m" (tried). Round to the smallest unit that is shown, then choose the units, and add a test with `units`.',
          },
        ],
      }),
    ],
    [
      turn(
        "I look whether the finding of the first round is dealt with.",
        bash("npm test 2>&1 | tail -9"),
        bash(
          `node --input-type=module -e 'import { formatDuration as f } from "./src/index.js"; console.log(f(86380000, { units: 2 }), f(3590000, { units: 1 }), f(5430000, { units: 2 }), f(93784000, { units: 1 }), f(400))'`,
        ),
      ),
      answer({
        verdict: "approve",
        summary:
          "The carry now works for every choice of `units`, with a test that failed before. The suite passes, rounding inside a unit is as it was, and nothing else is touched.",
        findings: [],
      }),
    ],
  ],
};
