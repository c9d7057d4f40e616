import { describe, expect, it } from "vitest";
import {
  agentWorkflowId,
  branchName,
  branchOfRun,
  isLogin,
  issueWorkflowId,
  parseRunId,
  runIdOfWorkflow,
  runName,
  runOfBranch,
} from "../../domain/ids.ts";

describe("ids", () => {
  it("of a run are in lower case", () => {
    expect(issueWorkflowId("Octo-Org/Some.Repo", 12)).toBe("issue/octo-org/some.repo/12");
  });

  it("of an agent carry the round from the second on", () => {
    expect(agentWorkflowId("issue/o/r/1", "coder", 1)).toBe("issue/o/r/1/coder");
    expect(agentWorkflowId("issue/o/r/1", "coder", 2)).toBe("issue/o/r/1/coder/2");
  });

  it.each([
    ["Octo/Repo#12", "issue/octo/repo/12"],
    ["issue/octo/repo/12", "issue/octo/repo/12"],
    ["issue/Octo/Repo/12", "issue/octo/repo/12"],
    ["octo/repo", null],
    ["octo/repo#0", null],
    ["octo/repo#1x", null],
    ["octo/..#1", null],
    ["-octo/repo#1", null],
    ["issue/octo/repo/coder", null],
    ["Octo/Repo#12/fork/3", "issue/octo/repo/12/fork/3"],
    ["issue/Octo/Repo/12/fork/3", "issue/octo/repo/12/fork/3"],
    ["octo/repo#12/fork/0", null],
    ["octo/repo#12/fork", null],
    ["issue/octo/repo/12/fork/3/coder", null],
    ["", null],
  ])("a person may type %j", (text, id) => {
    expect(parseRunId(text)).toBe(id);
  });

  it("of a run come back from its branch, and from no other", () => {
    expect(runOfBranch(branchName(7))).toEqual({ issue: 7, fork: null });
    expect(runOfBranch(branchName(7, 2))).toEqual({ issue: 7, fork: 2 });
    expect(branchOfRun({ id: issueWorkflowId("o/r", 7), issue: 7 })).toBe("mergewright/issue-7");
    expect(branchOfRun({ id: issueWorkflowId("o/r", 7, 2), issue: 7 })).toBe("mergewright/issue-7-fork-2");
    for (const branch of [
      "main",
      "mergewright/issue-",
      "mergewright/issue-07",
      "mergewright/issue-7/x",
      "mergewright/issue-7-fork-",
      "mergewright/issue-7-fork-0",
      "mergewright/issue-7-fork-1/x",
      "x/mergewright/issue-7",
    ]) {
      expect(runOfBranch(branch)).toBeNull();
    }
  });

  it.each([
    ["issue/o/r/1", "issue/o/r/1"],
    ["issue/o/r/1/coder/2", "issue/o/r/1"],
    ["issue/o/r/1/fork/2", "issue/o/r/1/fork/2"],
    ["issue/o/r/1/fork/2/coder/3", "issue/o/r/1/fork/2"],
    ["delivery/1", null],
    ["issue/o/r", null],
  ])("the run that workflow %j belongs to is %j", (id, run) => {
    expect(runIdOfWorkflow(id)).toBe(run);
  });

  it("a fork is told from the run that it came from", () => {
    expect(runName({ id: "issue/o/r/1", repository: "O/r", issue: 1 })).toBe("O/r#1");
    expect(runName({ id: "issue/o/r/1/fork/2", repository: "O/r", issue: 1 })).toBe("O/r#1/fork/2");
  });
});

describe("a login", () => {
  it.each(["mara", "MARA-1", "octo-", "jane_acme", "mergewright-demo[bot]"])("%s can be one", (login) => {
    expect(isLogin(login)).toBe(true);
  });

  it.each(["", "@mara", "-mara", "a b", "a/b", "mara[bot]x", "m".repeat(101)])("%j is none", (login) => {
    expect(isLogin(login)).toBe(false);
  });
});
