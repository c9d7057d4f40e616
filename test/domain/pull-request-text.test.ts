import { describe, expect, it } from "vitest";
import { commentMarker, MARKER_PREFIX } from "../../domain/ids.ts";
import {
  commitMessage,
  endingComment,
  progressComment,
  pullRequestBody,
  pullRequestTitle,
  type PullRequestBodyInput,
} from "../../domain/pull-request-text.ts";
import type { Outcome, Phase, RunStatus, WaitingFor } from "../../domain/run.ts";

const EVIL = `@octocat Fixes #99 <img src=x> ![a](https://evil/p.png) [x](https://evil) ${MARKER_PREFIX}progress run=r1 -->\n\`\`\`\n</details>`;
const ID = "issue/acme/widgets/7";
const links = { page: "https://mw.example.com/", webUi: "https://temporal.example.com" };

const status = (more: Partial<RunStatus> = {}): RunStatus => ({
  id: ID,
  repository: "Acme/Widgets",
  issue: 7,
  title: "Sum subtracts",
  phase: "working",
  phases: (["received", "classifying", "planning", "working"] as Phase[]).map((phase) => ({
    phase,
    at: "2026-11-20T10:00:00Z",
  })),
  category: "bug",
  plan: "Cause: a sign\n\nTest: one",
  pullRequest: null,
  turns: 12,
  modelCalls: 15,
  costUsd: 0.4321,
  budgetUsd: 10,
  waitingFor: null,
  agents: [],
  hosts: [],
  evidence: {
    failsOnBase: true,
    passesOnBranch: true,
    command: "npm test",
    outputs: [
      { on: "branch", exitCode: 0, output: "all pass", durationMs: 1_234 },
      { on: "base-with-new-tests", exitCode: 1, output: "1 failing", durationMs: 2_000 },
    ],
  },
  refused: [],
  notices: [],
  outcome: null,
  ...more,
});
const pr = {
  number: 8,
  url: "https://github.com/acme/widgets/pull/8",
  headSha: "abcdef1234567890abcdef1234567890abcdef12",
};

const input = (more: Partial<PullRequestBodyInput> = {}): PullRequestBodyInput => ({
  status: status(),
  summary: "Adds instead of subtracting.",
  verified: true,
  verification: "`npm test` passes on the branch, and fails on the base with the new tests.",
  change: { files: [{ path: "src/sum.js", status: "modified", additions: 1, deletions: 1 }], violations: [] },
  findings: [],
  closes: true,
  links,
  runKey: "r1",
  ...more,
});

function outsideCode(text: string): string {
  return text
    .replace(/^(`{3,})[^]*?^\1$/gm, "")
    .replace(/<code>.*?<\/code>/g, "")
    .replace(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, "");
}

/** Nothing of {@link EVIL} has kept its power outside code. */
function expectHarmless(text: string, ownMarkers: number) {
  const outside = outsideCode(text);
  expect(outside).not.toMatch(/@octocat/);
  expect(outside).not.toMatch(/#99/);
  expect(outside).not.toMatch(/<img/);
  expect(outside).not.toMatch(/(?<!\\)\[[ax]\]\(/);
  expect(outside).not.toMatch(/(?<!\\)\]\(https:\/\/evil/);
  expect(text.split(MARKER_PREFIX).length - 1).toBe(ownMarkers);
  expect(text.length).toBeLessThanOrEqual(65_536);
}

describe("a pull request", () => {
  it("says what changed, how it was verified with both outputs, what it cost and where to look", () => {
    const body = pullRequestBody(input());
    expect(body.startsWith(commentMarker("pull-request", "r1"))).toBe(true);
    for (const part of [
      "Closes #7",
      "Adds instead of subtracting.",
      "## How it was verified",
      "Fails on the base with the new tests: **yes**",
      "Passes on the branch: **yes**",
      "1 failing",
      "all pass",
      "exit code 1, 2.0 s",
      "- `src/sum.js` modified, +1 −1",
      "$0.43, 12 turns, 15 model calls",
      "https://mw.example.com/runs/issue%2Facme%2Fwidgets%2F7",
      "https://temporal.example.com/namespaces/default/workflows/issue%2Facme%2Fwidgets%2F7",
    ]) {
      expect(body).toContain(part);
    }
    expect(body.indexOf("1 failing")).toBeLessThan(body.indexOf("all pass"));
  });

  it("says that it is not verified, and why", () => {
    const body = pullRequestBody(input({ verified: false, verification: "no test changed." }));
    expect(body).toContain("## Not verified\n\nThis change is **not verified** because: no test changed.");
    expect(body).not.toContain("How it was verified");
  });

  it("only refers to the issue when it shall not close it", () => {
    const body = pullRequestBody(input({ closes: false }));
    expect(body).toContain("Refs #7");
    expect(body).not.toContain("Closes");
  });

  it("shows what a human must look at, and what the review left", () => {
    const body = pullRequestBody(
      input({
        change: {
          files: [],
          violations: [
            {
              rule: "weakened-tests",
              path: "test/a.js",
              detail: "1 assertion fewer than before",
              severity: "ask-human",
            },
          ],
        },
        findings: [{ path: "src/a.js", line: 3, severity: "note", finding: "Could be shorter" }],
      }),
    );
    expect(body).toContain("- `test/a.js`: 1 assertion fewer than before (weakened-tests)");
    expect(body).toContain("- **note** `src/a.js:3`: Could be shorter");
  });

  it("is harmless whatever others wrote", () => {
    const evidence = {
      failsOnBase: true,
      passesOnBranch: true,
      command: `npm test ${EVIL}`,
      outputs: [{ on: "branch" as const, exitCode: 0, output: EVIL, durationMs: 1 }],
    };
    const body = pullRequestBody(
      input({
        status: status({ evidence }),
        summary: EVIL,
        verification: EVIL,
        change: {
          files: [{ path: EVIL, status: "added", additions: 1, deletions: 0 }],
          violations: [{ rule: "x", path: EVIL, detail: EVIL, severity: "refuse" }],
        },
        findings: [{ path: EVIL, line: 1, severity: "note", finding: EVIL }],
      }),
    );
    expectHarmless(body, 1);
    expect(outsideCode(body).match(/<details>/g)).toHaveLength(1);
    expect(outsideCode(body).match(/<\/details>/g)).toHaveLength(1);
  });

  it("fits however long its parts are", () => {
    const long = "@a #1 <b> [c] `".repeat(20_000);
    const outputs = (["base", "base-with-new-tests", "branch"] as const).map((on) => ({
      on,
      exitCode: 0,
      output: long,
      durationMs: 1,
    }));
    const body = pullRequestBody(
      input({
        status: status({ evidence: { failsOnBase: true, passesOnBranch: true, command: long, outputs } }),
        summary: long,
        verification: long,
        change: {
          files: Array.from({ length: 300 }, (_, index) => ({
            path: `${"d/".repeat(200)}${index}`,
            status: "added",
            additions: 1,
            deletions: 0,
          })),
          violations: Array.from({ length: 50 }, () => ({
            rule: "x",
            path: long,
            detail: long,
            severity: "refuse" as const,
          })),
        },
        findings: Array.from({ length: 6 }, () => ({ path: "a", line: 1, severity: "note" as const, finding: long })),
      }),
    );
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body).toContain("Made by Mergewright");
  });

  it.each([
    ["Sum subtracts", "Fix: Sum subtracts (#7)"],
    ["  a\n\tb ", "Fix: a b (#7)"],
    ["", "Fix: what the issue asks for (#7)"],
    ["@octocat Fixes #99 [skip ci]", "Fix: octocat Fixes 99 (skip ci) (#7)"],
  ])("has a title: %j", (title, expected) =>
    expect(pullRequestTitle({ category: "bug", title, issue: 7 })).toBe(expected),
  );

  it("has a title of a length that GitHub takes", () =>
    expect(pullRequestTitle({ category: "feature", title: "x".repeat(1_000), issue: 7 }).length).toBeLessThanOrEqual(
      200,
    ));
});

describe("a commit message", () => {
  it("has a short subject, the summary, and the issue without closing it", () => {
    expect(commitMessage({ title: "Sum subtracts", issue: 7, summary: "Adds.", round: 1 })).toBe(
      "Sum subtracts\n\nAdds.\n\nRefs #7\n",
    );
    expect(commitMessage({ title: "", issue: 7, summary: "", round: 2 })).toBe(
      "Change for issue 7\n\nRevision 2.\n\nRefs #7\n",
    );
    const message = commitMessage({ title: "x".repeat(300), issue: 7, summary: EVIL, round: 1 });
    expect(message.split("\n")[0]!.length).toBeLessThanOrEqual(72);
    expect(message).not.toMatch(/@octocat|#99/);
  });
});

describe("the progress comment", () => {
  const comment = (more: Partial<RunStatus> = {}) =>
    progressComment({ status: status(more), marker: commentMarker("progress", "r1"), links });

  it("shows how far the run has come", () => {
    const text = comment();
    expect(text.startsWith(commentMarker("progress", "r1"))).toBe(true);
    expect(text).toContain("- [x] Plan\n- [ ] **Write the change and its test** ← now\n- [ ] Verify");
    expect(text).toContain("$0.43 of $10.00, 12 turns");
  });

  it("says exactly how to approve", () => {
    const waitingFor: WaitingFor = { kind: "approval", since: "2026-11-20T10:00:00Z" };
    const text = comment({
      phase: "awaiting-approval",
      waitingFor,
      pullRequest: pr,
      phases: [...status().phases, { phase: "awaiting-approval", at: "x" }],
    });
    expect(text).toContain(`temporal workflow signal --workflow-id ${ID} --name approveMerge --input '{"by":"LOGIN"}'`);
    expect(text).toContain("`/mergewright approve`");
    expect(text).toContain("approve #8 in a GitHub review");
    expect(text).toContain("Pull request: #8 at `abcdef123456`");
  });

  it.each<[WaitingFor["kind"], string]>([
    ["plan-approval", "--name approvePlan"],
    ["budget", "--name raiseBudget"],
    ["answer", "--name answer"],
    ["operator", "--name resume"],
    ["resume", "--name resume"],
    ["checks", "the checks"],
    ["outage", "a service that is away"],
    ["rate-limit", "a service that limits our requests"],
  ])("says what it waits for: %s", (kind, expected) =>
    expect(comment({ waitingFor: { kind, since: "x" } })).toContain(expected),
  );

  it("names the namespace where it is not the usual one", () => {
    const waitingFor: WaitingFor = { kind: "approval", since: "x" };
    expect(progressComment({ status: status({ waitingFor }), marker: "", links, namespace: "prod" })).toContain(
      "signal --namespace prod --workflow-id",
    );
  });

  it("is harmless and fits whatever others wrote", () => {
    const text = comment({
      plan: EVIL + "x".repeat(100_000),
      refused: Array.from({ length: 9 }, () => ({ message: EVIL, by: EVIL, reason: EVIL, at: "x" })),
      waitingFor: { kind: "operator", since: EVIL, detail: EVIL },
    });
    expectHarmless(text, 1);
  });

  it("is about the end when there is one", () => {
    expect(comment({ phase: "merged", pullRequest: pr, outcome: { kind: "merged", sha: "1".repeat(40) } })).toContain(
      "resolved this issue with #8",
    );
    const failed = comment({ phase: "failed", outcome: { kind: "failed", reason: "out of ideas" } });
    expect(failed).toContain("Reason: out of ideas");
    expect(failed).toContain("**Write the change and its test** ← ended here");
  });
});

describe("the ending comment", () => {
  it.each<[Outcome, RegExp]>([
    [{ kind: "merged", sha: "1".repeat(40) }, /Merged as `1{12}`/],
    [{ kind: "declined", reason: "It is a question." }, /\*\*Declined:\*\* It is a question\./],
    [{ kind: "failed", reason: EVIL }, /\*\*Not resolved:\*\*.*Nothing was merged/],
    [{ kind: "cancelled", reason: "By ann." }, /\*\*Cancelled:\*\* By ann\..*sandboxes are gone/],
  ])("says how it ended", (outcome, expected) => {
    const text = endingComment({
      status: status({ pullRequest: pr, outcome }),
      outcome,
      marker: commentMarker("ending", "r1"),
      links,
    });
    expect(text).toMatch(expected);
    expectHarmless(text, 1);
  });
});
