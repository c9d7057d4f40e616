import { describe, expect, it } from "vitest";
import type { TestRun } from "../../domain/run.ts";
import { judgeVerification, whatToRun } from "../../domain/verification.ts";

const run = (on: TestRun["on"], exitCode: number | null, output = ""): TestRun => ({
  on,
  exitCode,
  output,
  durationMs: 10,
});
const branch = (exitCode: number | null, output = "") => run("branch", exitCode, output);
const tests = (exitCode: number | null, output = "") => run("base-with-new-tests", exitCode, output);
const base = (exitCode: number | null) => run("base", exitCode);
const CHANGED = ["test/a.test.js"];

describe("what counts as verified", () => {
  it.each<
    [
      string,
      Partial<Parameters<typeof judgeVerification>[0]>,
      { fails: boolean | null; passes: boolean | null; verified: boolean; reason: RegExp },
    ]
  >([
    [
      "a bug that the new test shows, and the fix",
      { runs: [tests(1), branch(0)] },
      { fails: true, passes: true, verified: true, reason: /fails on the base/ },
    ],
    [
      "a bug whose test passes without the fix",
      { runs: [tests(0), branch(0)] },
      { fails: false, passes: true, verified: false, reason: /Change the test/ },
    ],
    [
      "a bug without a test",
      { changedTestPaths: [], runs: [branch(0)] },
      { fails: null, passes: true, verified: false, reason: /Add a test that fails without the fix/ },
    ],
    [
      "a bug that is not fixed",
      { runs: [tests(1), branch(1)] },
      { fails: true, passes: false, verified: false, reason: /fails on the branch/ },
    ],
    [
      "a fix that breaks others",
      { runs: [tests(1), branch(1), base(0)] },
      { fails: true, passes: false, verified: false, reason: /the change broke it/ },
    ],
    [
      "a suite that was red before",
      { runs: [tests(1), branch(1), base(1)] },
      { fails: true, passes: false, verified: false, reason: /not pass on the base either/ },
    ],
    [
      "a base on which the program is missing",
      { runs: [tests(127), branch(0)] },
      { fails: null, passes: true, verified: false, reason: /could not be started/ },
    ],
    [
      "a base that may not be executed",
      { runs: [tests(126), branch(0)] },
      { fails: null, passes: true, verified: false, reason: /could not be started/ },
    ],
    [
      "a base that ran out of memory",
      { runs: [tests(137), branch(0)] },
      { fails: null, passes: true, verified: false, reason: /out of memory/ },
    ],
    [
      "a base that hung",
      { runs: [tests(null), branch(0)] },
      { fails: null, passes: true, verified: false, reason: /short time limit/ },
    ],
    [
      "a base whose tests kill what runs them",
      { runs: [{ ...tests(null), killedItself: true }, branch(0)] },
      { fails: null, passes: true, verified: false, reason: /without ending processes/ },
    ],
    [
      "a branch whose tests kill what runs them",
      { runs: [tests(1), { ...branch(null), killedItself: true }, base(0)] },
      { fails: true, passes: false, verified: false, reason: /kills processes which it has not started.*broke it/ },
    ],
    [
      "a base on which pytest found no tests",
      { command: "python3 -m pytest", runs: [tests(5), branch(0)] },
      { fails: null, passes: true, verified: false, reason: /no tests ran/ },
    ],
    [
      "a base on which pytest failed to import",
      { command: "pytest -q", runs: [tests(2), branch(0)] },
      { fails: true, passes: true, verified: true, reason: /fails on the base/ },
    ],
    [
      "a base on which pytest was used wrongly",
      { command: "pytest", runs: [tests(4), branch(0)] },
      { fails: null, passes: true, verified: false, reason: /runner itself/ },
    ],
    [
      "a branch on which pytest found no tests",
      { command: "pytest", runs: [tests(1), branch(5)] },
      { fails: true, passes: false, verified: false, reason: /ran no tests/ },
    ],
    [
      "a branch that ran nothing and said 0",
      { runs: [tests(1), branch(0, "Ran 0 tests in 0.0s\nOK")] },
      { fails: true, passes: false, verified: false, reason: /ran no tests/ },
    ],
    [
      "a branch of which one package has no tests",
      { runs: [tests(1), branch(0, "?  a [no test files]\nok  b 0.1s")] },
      { fails: true, passes: true, verified: true, reason: /passes/ },
    ],
    [
      "a branch that hung",
      { runs: [tests(1), branch(null)] },
      { fails: true, passes: false, verified: false, reason: /hangs/ },
    ],
    [
      "a branch without the program",
      { runs: [tests(127), branch(127)] },
      { fails: null, passes: null, verified: false, reason: /program is missing/ },
    ],
    [
      "a feature that passes, with a test that shows it",
      { category: "feature", runs: [tests(1), branch(0)] },
      { fails: true, passes: true, verified: true, reason: /fails on the base/ },
    ],
    [
      "a feature that passes, with a test that shows nothing",
      { category: "feature", runs: [tests(0), branch(0)] },
      { fails: false, passes: true, verified: true, reason: /pass on the base as well/ },
    ],
    [
      "documentation that breaks nothing",
      { category: "documentation", changedTestPaths: [], runs: [branch(0)] },
      { fails: null, passes: true, verified: true, reason: /No test changed/ },
    ],
    [
      "a refactoring that breaks something",
      { category: "refactoring", changedTestPaths: [], runs: [branch(2)] },
      { fails: null, passes: false, verified: false, reason: /exit code 2/ },
    ],
    ["no command", { command: null, runs: [] }, { fails: null, passes: null, verified: false, reason: /test_command/ }],
    ["nothing run yet", { runs: [] }, { fails: null, passes: null, verified: false, reason: /not been run/ }],
  ])("%s", (_, input, expected) => {
    const { evidence, verified, reason } = judgeVerification({
      category: "bug",
      command: "npm test",
      changedTestPaths: CHANGED,
      runs: [],
      ...input,
    });
    expect({ fails: evidence.failsOnBase, passes: evidence.passesOnBranch, verified }).toEqual({
      fails: expected.fails,
      passes: expected.passes,
      verified: expected.verified,
    });
    expect(reason).toMatch(expected.reason);
    expect(evidence.outputs).toEqual(input.runs);
  });
});

describe("what is run", () => {
  it.each<[string, Parameters<typeof whatToRun>[0], TestRun["on"][]]>([
    ["nothing without a command", { command: null, changedTestPaths: CHANGED, runs: [] }, []],
    [
      "branch and base with new tests",
      { command: "x", changedTestPaths: CHANGED, runs: [] },
      ["branch", "base-with-new-tests"],
    ],
    ["the branch alone where no test changed", { command: "x", changedTestPaths: [], runs: [] }, ["branch"]],
    [
      "nothing more when the branch passes",
      { command: "x", changedTestPaths: CHANGED, runs: [branch(0), tests(1)] },
      [],
    ],
    [
      "the plain base when the branch fails",
      { command: "x", changedTestPaths: CHANGED, runs: [branch(1), tests(1)] },
      ["base"],
    ],
    ["nothing more after that", { command: "x", changedTestPaths: CHANGED, runs: [branch(1), tests(1), base(1)] }, []],
    ["what is missing", { command: "x", changedTestPaths: CHANGED, runs: [branch(0)] }, ["base-with-new-tests"]],
  ])("%s", (_, input, wanted) => expect(whatToRun(input)).toEqual(wanted));
});
