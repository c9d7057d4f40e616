/** Where the reviewer's findings are said, and how often. Both rows side by side on one stage. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { Stage } from "../../demo/stage.ts";
import type { Review } from "../../domain/outputs.ts";
import { until } from "../e2e/support.ts";
import {
  approve,
  approveAndMerge,
  asksApproval,
  effects,
  fault,
  merged,
  type Row,
  rowsStage,
  rowStory,
  startRow,
} from "./github-rows.ts";

const LIMIT_MS = 280_000;
const REVIEWS = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews";
const SUBMITTED_REVIEWS = `${REVIEWS}/{review_id}/events`;
const SAME_LINE = "  let rest = Math.abs(ms);\n";

const note = {
  path: "src/format.js",
  line: 1,
  severity: "note" as const,
  finding: "A name would say why it is rounded.",
};

const rows = rowsStage("local", {
  scenarios: ["B16line", "B16body"].map((name) => rowStory(name, { reviewer: [[{ data: withFinding() }]] })),
});
let stage: Stage;
beforeAll(() => {
  stage = rows();
});

describe.concurrent("What others do", () => {
  it(
    "B16: what the reviewer found stands on its line, in one review although the answer was lost",
    async () => {
      const row = await startRow(stage, "B16line", (at) =>
        Promise.all([
          fault(at, { method: "POST", path: "/pulls/\\d+/reviews$", when: "after", status: 502 }),
          fault(at, { method: "POST", path: "/pulls/\\d+/reviews/\\d+/events$", when: "after", status: 502 }),
        ]),
      );
      const { number } = (await approveAndMerge(row)).pullRequest!;
      expect(await effects(row, REVIEWS)).toHaveLength(1);
      expect(await effects(row, SUBMITTED_REVIEWS)).toHaveLength(1);
      const comments = await read(row, `/pulls/${number}/comments`);
      expect(comments).toMatchObject([
        { path: "src/format.js", body: expect.stringContaining("A name would say why") },
      ]);
    },
    LIMIT_MS,
  );

  it(
    "B16: where GitHub does not take a line, the review says it in its body, once",
    async () => {
      const refusal = {
        status: 422,
        body: { message: "Unprocessable Entity", errors: ["Line could not be resolved"] },
      };
      const row = await startRow(stage, "B16body", (at) =>
        fault(at, { method: "POST", path: "/pulls/\\d+/reviews$", ...refusal }),
      );
      const run = await asksApproval(row);
      const { number } = run.pullRequest!;
      const reviews = await until("the review", async () => {
        const all = await read(row, `/pulls/${number}/reviews`);
        return all.length > 0 && all;
      });
      expect(reviews).toMatchObject([{ state: "COMMENTED", commit_id: run.pullRequest!.headSha }]);
      expect(reviews[0]!["body"]).toContain("A name would say why");
      expect(await read(row, `/pulls/${number}/comments`)).toEqual([]);
      await approve(row, run);
      await merged(row);
      expect(await effects(row, SUBMITTED_REVIEWS)).toHaveLength(1);
    },
    LIMIT_MS,
  );
});

function withFinding(): Review {
  return { verdict: "approve", summary: "Good.", findings: [{ ...note, line: changedLine() }] };
}

/** The line that the fix writes: the comment above it is a changed line. */
function changedLine(): number {
  const source = readFileSync(
    new URL("../../demo/repositories/little-duration/src/format.js", import.meta.url),
    "utf8",
  );
  return source.slice(0, source.indexOf(SAME_LINE)).split("\n").length;
}

function read(row: Row, path: string): Promise<Record<string, unknown>[]> {
  return stage.github.people.as(stage.maintainer).rest("GET", `/repos/${row.repository}${path}`);
}
