import { describe, expect, it } from "vitest";
import { agentWorkflowId, branchName, issueOfBranch, issueWorkflowId, parseRunId } from "../../domain/ids.ts";

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
    ["", null],
  ])("a person may type %j", (text, id) => {
    expect(parseRunId(text)).toBe(id);
  });

  it("of an issue come back from its branch, and from no other", () => {
    expect(issueOfBranch(branchName(7))).toBe(7);
    for (const branch of [
      "main",
      "mergewright/issue-",
      "mergewright/issue-07",
      "mergewright/issue-7/x",
      "x/mergewright/issue-7",
    ]) {
      expect(issueOfBranch(branch)).toBeNull();
    }
  });
});
