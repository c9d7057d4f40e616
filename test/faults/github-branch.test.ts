/** What people do to the branch, the pull request and the comments while a run is under way. All rows side by side on one stage. */
import { beforeAll, describe, expect, it } from "vitest";
import { bash, replace } from "../../demo/model/scenario.ts";
import type { Stage } from "../../demo/stage.ts";
import { branchName } from "../../domain/ids.ts";
import { CHANGE_LOG_LINE } from "../e2e/short-scenario.ts";
import { commentsOf, reaches, signal } from "../e2e/support.ts";
import {
  approve,
  asks,
  asksApproval,
  declined,
  effects,
  fileOn,
  merged,
  pushTo,
  rowsStage,
  rowStory,
  startRow,
} from "./github-rows.ts";

const LIMIT_MS = 280_000;

const changeLog = replace("CHANGELOG.md", "## Unreleased\n", `## Unreleased\n\n${CHANGE_LOG_LINE}\n`);
const first = rowStory("x").coder[0]!;

const NAMES = ["B15pushes", "B15breaks", "B15comment", "B15branch", "B15closes"];
const rows = rowsStage("local", {
  scenarios: [
    ...NAMES.map((name) => rowStory(name)),
    rowStory("B15mid", {
      coder: [first, [{ uses: [bash("sleep 6")] }, { uses: [changeLog] }, { text: "Done." }]],
    }),
  ],
});
let stage: Stage;
beforeAll(() => {
  stage = rows();
});

describe.concurrent("What others do", () => {
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
});
