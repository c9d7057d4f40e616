import { expect, it } from "vitest";
import { type IssueChange, judgeIssueChange } from "../../domain/issue-change.ts";
import { RepositorySettings } from "../../domain/settings.ts";

const defaults = RepositorySettings.parse({});

it.each<[IssueChange, "cancel" | "ignore", string]>([
  ["edited", "ignore", "The issue was edited by @ada during the run, which goes on"],
  ["unlabeled", "ignore", "The issue lost the label that starts runs by @ada during the run, which goes on"],
  ["closed", "cancel", "the issue was closed by @ada"],
  ["transferred", "cancel", "the issue was transferred by @ada"],
  ["deleted", "cancel", "the issue was deleted by @ada"],
])("an issue that is %s means %s by default, and people are told", (change, kind, said) => {
  const verdict = judgeIssueChange(change, "ada", defaults);
  expect(verdict.kind).toBe(kind);
  expect(Object.values(verdict).join()).toContain(said);
});

it.each<IssueChange>(["edited", "unlabeled", "closed", "transferred", "deleted"])(
  "the setting decides whether an issue that is %s ends its run",
  (change) => {
    const set = (to: "cancel" | "ignore") => RepositorySettings.parse({ issue_changes: { [change]: to } });
    expect(judgeIssueChange(change, null, set("cancel"))).toMatchObject({ kind: "cancel" });
    expect(judgeIssueChange(change, null, set("ignore"))).toMatchObject({
      kind: "ignore",
      notice: expect.stringContaining(`issue_changes.${change}`),
    });
  },
);

it("an issue that is reopened is nothing new", () => {
  expect(judgeIssueChange("reopened", "ada", defaults)).toEqual({ kind: "ignore", notice: null });
});

it("a run that began before the setting was there goes by the defaults", () => {
  const old = {} as typeof defaults;
  expect(judgeIssueChange("edited", null, old).kind).toBe("ignore");
  expect(judgeIssueChange("deleted", null, old).kind).toBe("cancel");
});
