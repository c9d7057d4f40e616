/** Stories in few turns for `little-duration`, so that a test of the whole takes seconds: a fix at once, one review, one revision. */
import type { Classification, Plan, Review } from "../../domain/outputs.ts";
import { aboutIssue, bash, replace, type Scenario, type Turn } from "../../demo/model/scenario.ts";

export interface ShortStory {
  /** The issue's title, by which the played Claude knows the story. */
  title: string;
  /** What the coder does before the fix; each is a turn. */
  before?: Turn[];
}

export function shortStory({ title, before = [] }: ShortStory): Scenario {
  return {
    name: title,
    matches: aboutIssue(title),
    classifier: [{ data: classification }],
    planner: [{ text: "I look first.", uses: [bash("git ls-files | head -20")] }, { data: plan }],
    coder: [
      [
        ...before,
        { text: "The test, the fix, and the suite.", uses: [theTest, theFix, bash("npm test 2>&1 | tail -9")] },
        { text: "Rounded before it is split." },
      ],
      [
        {
          text: "As asked: a line in the change log.",
          uses: [replace("CHANGELOG.md", "## Unreleased\n", `## Unreleased\n\n${CHANGE_LOG_LINE}\n`)],
        },
        { text: "CHANGELOG.md tells of it." },
      ],
    ],
    reviewer: [[{ data: review }]],
  };
}

/** What the coder writes when it is sent back. */
export const CHANGE_LOG_LINE = "- `formatDuration` carries when seconds round up.";

const theTest = replace("test/format.test.js", '  [61_000, "1m 1s"],\n', '  [61_000, "1m 1s"],\n  [59_700, "1m"],\n');
const theFix = replace(
  "src/format.js",
  "  let rest = Math.abs(ms);\n",
  "  // 59.7 seconds are a minute.\n  let rest = Math.round(Math.abs(ms) / 1_000) * 1_000;\n",
);

const classification: Classification = {
  category: "bug",
  summary: "Seconds round up to 60.",
  reason: "A wrong result for valid input.",
};
const plan: Plan = {
  cause: "The last unit is rounded after the larger ones were cut off.",
  steps: ["A failing case.", "Round first."],
  files: ["src/format.js", "test/format.test.js"],
  test: 'formatDuration(59700) is "1m"',
  risks: [],
};
const review: Review = { verdict: "approve", summary: "The cause is mended and a test proves it.", findings: [] };
