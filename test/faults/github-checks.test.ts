/** A base that moves on, and the checks and the queue that a merge waits for. All rows side by side on one stage. */
import { beforeAll, describe, expect, it } from "vitest";
import { bash, type PlayedRequest, type PlayedTurn, replace } from "../../demo/model/scenario.ts";
import type { Stage } from "../../demo/stage.ts";
import { CHANGE_LOG_LINE } from "../e2e/short-scenario.ts";
import { ended, reaches, signal } from "../e2e/support.ts";
import { expectRowEnds } from "./end-checks.ts";
import {
  approve,
  approveAndMerge,
  asks,
  asksApproval,
  declined,
  effects,
  expectCommentsOnce,
  fileOn,
  merged,
  pushTo,
  type Row,
  rowsStage,
  rowStory,
  startRow,
} from "./github-rows.ts";

const LIMIT_MS = 280_000;
const MERGE = "/repos/{owner}/{repo}/pulls/{pull_number}/merge";
const SAME_LINE = "  let rest = Math.abs(ms);\n";

/** What the coder was told when it was sent back, by row. */
const told = new Map<string, string>();

function listening(name: string): (request: PlayedRequest) => PlayedTurn {
  return (request) => {
    told.set(name, JSON.stringify(request));
    return {
      text: "A line in the change log.",
      uses: [replace("CHANGELOG.md", "## Unreleased\n", `## Unreleased\n\n${CHANGE_LOG_LINE}\n`)],
    };
  };
}

const resolved =
  "sed -i '/^<<<<<<< /,/^>>>>>>> /c\\  let rest = Math.round(Math.abs(Number(ms)) / 1_000) * 1_000;' src/format.js && npm test 2>&1 | tail -3";
const first = rowStory("x").coder[0]!;

const NAMES = ["B13strict", "B13limit", "B14silent", "B14skipped", "B14queue"];

const owner = "demo-tools";
const limits = (name: string, text: string): string =>
  `  ${owner}/row-${name.toLowerCase()}:\n    limits: { ${text} }\n`;
const rows = rowsStage("local", {
  settings: `repositories:\n${limits("B13limit", "rebase_rounds: 0")}${limits("B14silent", "check_minutes: 0.3")}`,
  scenarios: [
    ...NAMES.map((name) => rowStory(name)),
    rowStory("B13conflict", {
      coder: [first, [{ text: "Both.", uses: [bash(resolved)] }, { text: "Both intentions hold." }]],
    }),
    rowStory("B14fails", { coder: [first, [listening("B14fails"), { text: "Done." }]] }),
  ],
});
let stage: Stage;
beforeAll(() => {
  stage = rows();
});

describe.concurrent("What others do", () => {
  it(
    "B13: a branch that must be up to date gets the base that moved on, is verified again and asked about again",
    async () => {
      const row = await startRow(stage, "B13strict", (at) => protect(at, { approvals: 0, checks: [], strict: true }));
      const before = await asksApproval(row);
      await pushTo(row, "main", { "NOTES.md": "The base moved on.\n" });
      await approve(row, before);
      const after = await asksApproval(row, before.pullRequest!.headSha);
      expect(after.evidence).toMatchObject({ failsOnBase: true, passesOnBranch: true });
      expect(await effects(row, MERGE)).toEqual([]);
      await approve(row, after);
      await merged(row, 2);
      expect(await fileOn(row, "NOTES.md")).toContain("The base moved on.");
    },
    LIMIT_MS,
  );

  it(
    "B13: a conflict with the base goes to the coder, and the resolved change is verified and asked about again",
    async () => {
      const row = await startRow(stage, "B13conflict");
      const before = await asksApproval(row);
      const source = await fileOn(row, "src/format.js");
      await pushTo(row, "main", { "src/format.js": source.replace(SAME_LINE, "  let rest = Math.abs(Number(ms));\n") });
      await approve(row, before);
      const after = await asksApproval(row, before.pullRequest!.headSha);
      expect(after.evidence).toMatchObject({ failsOnBase: true, passesOnBranch: true });
      await approve(row, after);
      await merged(row, 2);
      const mended = await fileOn(row, "src/format.js");
      expect(mended).toContain("Math.abs(Number(ms)) / 1_000");
      expect(mended).not.toContain("<<<<<<<");
    },
    LIMIT_MS,
  );

  it(
    "B13: a conflict beyond the limit of rounds is left to the person, who is told of it",
    async () => {
      const row = await startRow(stage, "B13limit");
      const before = await asksApproval(row);
      const source = await fileOn(row, "src/format.js");
      await pushTo(row, "main", { "src/format.js": source.replace(SAME_LINE, "  let rest = Math.abs(Number(ms));\n") });
      await approve(row, before);
      await asks(row, "conflicts with the base branch");
      await signal(row.stage, row.issue, "reject", { by: stage.maintainer, reason: "too late" });
      await declined(row);
    },
    LIMIT_MS,
  );

  it(
    "B14: a required check that never reports is waited for until the deadline, then a person is asked",
    async () => {
      const row = await startRow(stage, "B14silent", (at) => protect(at, { approvals: 0, checks: ["deploy"] }));
      await reaches(row.stage, row.issue, "its wait", ({ waitingFor }) =>
        Boolean(waitingFor?.kind === "checks" && waitingFor.detail?.includes("deploy")),
      );
      const run = await asks(row, "did not finish within 0.3 minutes");
      await check(row, run.pullRequest!.headSha, { name: "deploy", conclusion: "success" });
      await approve(row, run);
      await merged(row);
    },
    LIMIT_MS,
  );

  it(
    "B14: a check that fails goes to the coder with its annotations and the end of its log",
    async () => {
      const row = await startRow(stage, "B14fails", (at) => protect(at, { approvals: 0, checks: ["ci"] }));
      const waits = await reaches(row.stage, row.issue, "its wait", ({ waitingFor }) => waitingFor?.kind === "checks");
      await check(row, waits.pullRequest!.headSha, {
        name: "ci",
        conclusion: "failure",
        output: { title: "1 failed", summary: "one test failed" },
        annotations: [{ path: "src/format.js", line: 3, message: "unused variable" }],
        log: "2026-11-21T10:00:00.0000000Z Run npm test\n2026-11-21T10:00:01.0000000Z boom: the clock is wrong\n",
      });
      const again = await reaches(row.stage, row.issue, "its second head", (run) =>
        Boolean(run.waitingFor?.kind === "checks" && run.pullRequest?.headSha !== waits.pullRequest!.headSha),
      );
      for (const words of ["one test failed", "src/format.js:3: unused variable", "boom: the clock is wrong"])
        expect(told.get("B14fails")).toContain(words);
      await check(row, again.pullRequest!.headSha, { name: "ci", conclusion: "success" });
      await approve(row, await asksApproval(row));
      await merged(row, 2);
    },
    LIMIT_MS,
  );

  it(
    "B14: a required check that is skipped stops nothing",
    async () => {
      const row = await startRow(stage, "B14skipped", (at) => protect(at, { approvals: 0, checks: ["ci"] }));
      const waits = await reaches(row.stage, row.issue, "its wait", ({ waitingFor }) => waitingFor?.kind === "checks");
      await check(row, waits.pullRequest!.headSha, { name: "ci", conclusion: "skipped" });
      await approveAndMerge(row);
    },
    LIMIT_MS,
  );

  it(
    "B14: where a merge queue is demanded the head goes into it; thrown out it comes back, and its merge is seen",
    async () => {
      const row = await startRow(stage, "B14queue", (at) => protect(at, { approvals: 0, checks: [], queue: true }));
      const run = await asksApproval(row);
      const { number } = run.pullRequest!;
      const order = { repository: row.repository, number };
      const queued = (): Promise<unknown> =>
        reaches(row.stage, row.issue, "the queue", ({ waitingFor }) =>
          Boolean(waitingFor?.detail?.includes("merge queue (") || waitingFor?.detail?.includes("merge queue at")),
        );
      await approve(row, run);
      await queued();
      await stage.github.people.settleQueue({ ...order, thrownOut: "FAILED_CHECKS" });
      await approve(row, await asks(row, "FAILED_CHECKS"));
      await queued();
      await stage.github.people.settleQueue(order);
      const merged = await ended(row.stage, row.issue);
      expect(merged.outcome?.kind).toBe("merged");
      await expectCommentsOnce(row, merged);
      await expectRowEnds(row.stage, row.issue);
      expect(await effects(row, MERGE)).toEqual([]);
      expect(await fileOn(row, "src/format.js")).toContain("Math.round(");
    },
    LIMIT_MS,
  );
});

function protect(
  row: Row,
  protection: { approvals: number; checks: string[]; strict?: boolean; queue?: boolean },
): Promise<void> {
  return stage.github.people.changeRepository(row.repository, { protection });
}

function check(
  row: Row,
  sha: string,
  what: Omit<Parameters<Stage["github"]["people"]["check"]>[0], "repository" | "sha">,
): Promise<void> {
  return stage.github.people.check({ repository: row.repository, sha, status: "completed", ...what });
}
