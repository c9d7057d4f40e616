/** What others do to base, branch, checks and comments while a run is under way. All rows side by side on one stage; about 80 s alone. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { bash, type PlayedRequest, type PlayedTurn, replace } from "../../demo/model/scenario.ts";
import type { Stage } from "../../demo/stage.ts";
import { branchName } from "../../domain/ids.ts";
import type { Review } from "../../domain/outputs.ts";
import { CHANGE_LOG_LINE } from "../e2e/short-scenario.ts";
import { commentsOf, ended, reaches, signal, until } from "../e2e/support.ts";
import { expectRowEnds } from "./end-checks.ts";
import {
  approve,
  approveAndMerge,
  asksApproval,
  declined,
  effects,
  expectCommentsOnce,
  fault,
  merged,
  type Row,
  rowsStage,
  rowStory,
  startRow,
} from "./github-rows.ts";

const LIMIT_MS = 280_000;
const MERGE = "/repos/{owner}/{repo}/pulls/{pull_number}/merge";
const REVIEWS = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews";
const SUBMITTED_REVIEWS = `${REVIEWS}/{review_id}/events`;
const SAME_LINE = "  let rest = Math.abs(ms);\n";

/** What the coder was told when it was sent back, by row. */
const told = new Map<string, string>();

function listening(name: string): (request: PlayedRequest) => PlayedTurn {
  return (request) => {
    told.set(name, JSON.stringify(request));
    return { text: "A line in the change log.", uses: [changeLog] };
  };
}

const changeLog = replace("CHANGELOG.md", "## Unreleased\n", `## Unreleased\n\n${CHANGE_LOG_LINE}\n`);
const resolved =
  "sed -i '/^<<<<<<< /,/^>>>>>>> /c\\  let rest = Math.round(Math.abs(Number(ms)) / 1_000) * 1_000;' src/format.js && npm test 2>&1 | tail -3";
const first = rowStory("x").coder[0]!;
const note = {
  path: "src/format.js",
  line: 1,
  severity: "note" as const,
  finding: "A name would say why it is rounded.",
};

const NAMES = [
  "B13strict",
  "B13limit",
  "B14silent",
  "B14skipped",
  "B14queue",
  "B15pushes",
  "B15breaks",
  "B15comment",
  "B15branch",
  "B15closes",
];

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
    rowStory("B15mid", {
      coder: [first, [{ uses: [bash("sleep 6")] }, { uses: [changeLog] }, { text: "Done." }]],
    }),
    ...["B16line", "B16body"].map((name) => rowStory(name, { reviewer: [[{ data: withFinding() }]] })),
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

  it(
    "B15: commits that a person pushes are verified and asked about, and what the coder does later stands on them",
    async () => {
      const row = await startRow(stage, "B15pushes");
      const before = await asksApproval(row);
      const { sha } = await pushTo(row, branchName(row.issue), { "NOTES.md": "By hand.\n" });
      const taken = await asksApproval(row, before.pullRequest!.headSha);
      expect(taken.pullRequest!.headSha).toBe(sha);
      expect(taken.evidence).toMatchObject({ passesOnBranch: true });
      expect(taken.waitingFor?.detail).not.toContain("Not verified");
      await signal(row.stage, row.issue, "requestChanges", { by: stage.maintainer, text: "Tell of it." });
      const revised = await asksApproval(row, sha);
      await approve(row, revised);
      await merged(row, 2);
      const [, second] = await effects(row, "git push");
      expect(second!.facts).toMatchObject({ before: sha });
      expect(await fileOn(row, "NOTES.md")).toContain("By hand.");
      expect(await fileOn(row, "CHANGELOG.md")).toContain(CHANGE_LOG_LINE);
    },
    LIMIT_MS,
  );

  it(
    "B15: commits that break the tests are left as they are, and the person is told that it does not hold",
    async () => {
      const row = await startRow(stage, "B15breaks");
      const before = await asksApproval(row);
      const { sha } = await pushTo(row, branchName(row.issue), { "src/format.js": "throw new Error('by hand');\n" });
      const asked = await asks(row, "Not verified: Somebody pushed commits");
      expect(asked.pullRequest!.headSha).toBe(sha);
      expect(asked.pullRequest!.headSha).not.toBe(before.pullRequest!.headSha);
      expect(await effects(row, "git push")).toHaveLength(1);
      await signal(row.stage, row.issue, "reject", { by: stage.maintainer, reason: "not so" });
      await declined(row);
    },
    LIMIT_MS,
  );

  it(
    "B15: commits that come while the coder is at work are merged with what it did",
    async () => {
      const row = await startRow(stage, "B15mid");
      const before = await asksApproval(row);
      await signal(row.stage, row.issue, "requestChanges", { by: stage.maintainer, text: "Tell of it." });
      await reaches(row.stage, row.issue, "work", ({ phase }) => phase === "working");
      await pushTo(row, branchName(row.issue), { "NOTES.md": "By hand.\n" });
      await approve(row, await asksApproval(row, before.pullRequest!.headSha));
      await merged(row, 2);
      expect(await fileOn(row, "NOTES.md")).toContain("By hand.");
      expect(await fileOn(row, "CHANGELOG.md")).toContain(CHANGE_LOG_LINE);
    },
    LIMIT_MS,
  );

  it(
    "B15: a comment of ours that a person deletes stays deleted",
    async () => {
      const row = await startRow(stage, "B15comment");
      const run = await asksApproval(row);
      const [ours] = (await commentsOf(row.stage, row.issue)).filter(({ body }) =>
        body.includes("mergewright:progress"),
      );
      await stage.github.people
        .as(stage.maintainer)
        .rest("DELETE", `/repos/${row.repository}/issues/comments/${ours!.id}`);
      await approve(row, run);
      await merged(row);
      expect(await commentsOf(row.stage, row.issue)).toEqual([]);
    },
    LIMIT_MS,
  );

  for (const [name, what] of [
    ["B15branch", "branch that a person deletes"],
    ["B15closes", "pull request that a person closes"],
  ] as const) {
    it(
      `B15: a ${what} ends the run, which says so and makes no new one`,
      async () => {
        const row = await startRow(stage, name);
        const { number } = (await asksApproval(row)).pullRequest!;
        const maintainer = stage.github.people.as(stage.maintainer);
        if (name === "B15branch")
          await maintainer.rest("DELETE", `/repos/${row.repository}/git/refs/heads/${branchName(row.issue)}`);
        else await maintainer.rest("PATCH", `/repos/${row.repository}/pulls/${number}`, { state: "closed" });
        const run = await declined(row);
        expect(run.outcome).toMatchObject({ reason: expect.stringContaining(stage.maintainer) });
        expect(await effects(row, "git push")).toHaveLength(1);
        expect(await effects(row, "/repos/{owner}/{repo}/pulls")).toHaveLength(1);
        expect((await commentsOf(row.stage, number)).map(({ body }) => body).join()).toContain("was closed");
      },
      LIMIT_MS,
    );
  }

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

function protect(
  row: Row,
  protection: { approvals: number; checks: string[]; strict?: boolean; queue?: boolean },
): Promise<void> {
  return stage.github.people.changeRepository(row.repository, { protection });
}

function pushTo(row: Row, branch: string, files: Record<string, string>): Promise<{ sha: string }> {
  return stage.github.people.push({ as: stage.maintainer, repository: row.repository, branch, files });
}

function check(
  row: Row,
  sha: string,
  what: Omit<Parameters<Stage["github"]["people"]["check"]>[0], "repository" | "sha">,
): Promise<void> {
  return stage.github.people.check({ repository: row.repository, sha, status: "completed", ...what });
}

/** Waits for the question that says this. */
function asks(row: Row, words: string): ReturnType<typeof asksApproval> {
  return reaches(row.stage, row.issue, words, ({ waitingFor }) =>
    Boolean(waitingFor?.kind === "approval" && waitingFor.detail?.includes(words)),
  );
}

function read(row: Row, path: string): Promise<Record<string, unknown>[]> {
  return stage.github.people.as(stage.maintainer).rest("GET", `/repos/${row.repository}${path}`);
}

/** A file on the default branch, as Git gives it to everybody. */
async function fileOn(row: Row, path: string): Promise<string> {
  const run = promisify(execFile);
  const folder = await mkdtemp(join(stage.folder, "clone-"));
  await run("git", ["clone", "-q", `${stage.github.url}/${row.repository}.git`, folder]);
  return (await run("git", ["-C", folder, "show", `main:${path}`])).stdout;
}
