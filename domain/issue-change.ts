/** What a change of the issue means for the run that works on it: pure; the setting decides, and people are told either way. */
import type { IssueEvent } from "./events.ts";
import type { RepositorySettings } from "./settings.ts";

export type IssueChange = Extract<IssueEvent, { kind: "issue-changed" }>["change"];

export type IssueChangeVerdict = { kind: "cancel"; reason: string } | { kind: "ignore"; notice: string | null };

export function judgeIssueChange(
  change: IssueChange,
  by: string | null,
  settings: Pick<RepositorySettings, "issue_changes">,
): IssueChangeVerdict {
  if (change === "reopened") return { kind: "ignore", notice: null };
  const happened = `the issue ${HAPPENED[change]}${by === null ? "" : ` by @${by}`}`;
  // A run that began before the setting was there does not carry it.
  const wanted = { ...BEFORE_THE_SETTING, ...settings.issue_changes }[change];
  if (wanted === "cancel") return { kind: "cancel", reason: happened };
  const notice = `${happened[0]!.toUpperCase()}${happened.slice(1)} during the run, which goes on (setting issue_changes.${change}). ${MEANING[change]}`;
  return { kind: "ignore", notice };
}

const BEFORE_THE_SETTING: RepositorySettings["issue_changes"] = {
  edited: "ignore",
  unlabeled: "ignore",
  closed: "cancel",
  transferred: "cancel",
  deleted: "cancel",
};

type Judged = Exclude<IssueChange, "reopened">;

const HAPPENED: Readonly<Record<Judged, string>> = {
  edited: "was edited",
  unlabeled: "lost the label that starts runs",
  closed: "was closed",
  transferred: "was transferred",
  deleted: "was deleted",
};

const CANCEL = "`/mergewright cancel` ends it.";
const MEANING: Readonly<Record<Judged, string>> = {
  edited: `The text at the trigger counts; ${CANCEL}`,
  unlabeled: CANCEL,
  closed: CANCEL,
  transferred: "The change is made in the repository where the run began.",
  deleted: "It can be followed on its pull request and its page.",
};
