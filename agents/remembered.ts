/** What the memory says at the beginning of a brief. All of it was written by others, so it stands in fences. */
import type { LikelyFile, Remembered, RememberedIssues } from "../domain/brief.ts";
import { headOf } from "../domain/text.ts";
import { cutMiddle } from "./cut.ts";
import { cleanLine, cleanPlain, fence } from "./untrusted.ts";

/** A cause, or what a change was, is said in a few sentences; more is in its pull request. */
const MAX_CHARACTERS = 700;
const MAX_FILES = 8;
/** A title, a reason, a path: as long as anybody reads on one line. */
const MAX_LINE = 300;

/** For those who plan and write. */
export function describeRemembered(remembered: Remembered | undefined, seed: string): string {
  if (remembered === undefined) return "";
  const { issues, files } = remembered;
  return [describeFiles(files, seed), issues === null ? "" : describeIssues(issues, seed)]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** For the classifier: how earlier issues like this one were sorted, and what became of them. */
export function describeNeighbours(remembered: Remembered | undefined, seed: string): string {
  const similar = remembered?.issues?.similar ?? [];
  if (similar.length === 0) return "";
  const lines = similar.map(
    (each) => `- #${each.issue} ${line(each.title)}: ${each.category ?? "not classified"}, ${ending(each)}`,
  );
  return `Earlier issues of this repository that read alike. They may help you, and decide nothing:\n\n${fence("earlier issues", lines.join("\n"), seed)}`;
}

function describeFiles(files: readonly LikelyFile[], seed: string): string {
  if (files.length === 0) return "";
  return `An index of the repository's default branch names these files as likely, the likeliest first. It may be wrong: look before you believe it. The tool \`search_code\` asks it more.\n\n${fence("likely files", listFiles(files), seed)}`;
}

/** One file a line. Equal hits are equal text: no scores, which tell nobody anything. */
export function listFiles(files: readonly LikelyFile[]): string {
  return files
    .map(({ path, lines: [from, to], why }) => {
      const reasons = why.map(line).filter((reason) => reason !== "");
      return `- ${plain(path)}:${from}-${to}${reasons.length > 0 ? `  ${reasons.join("; ")}` : ""}`;
    })
    .join("\n");
}

function describeIssues({ similar, lessons, taught }: RememberedIssues, seed: string): string {
  const parts = [
    similar.length === 0 ? "" : `Issues that were like this one:\n\n${similar.map(describeIssue).join("\n\n")}`,
    lessons.length === 0
      ? ""
      : `Learnt from them:\n${lessons.map((each) => `- ${line(each.text)} (#${each.issue})`).join("\n")}`,
    taught.length === 0
      ? ""
      : `Told by maintainers:\n${taught.map(({ by, text }) => `- ${said(text)} (@${line(by)})`).join("\n")}`,
  ].filter((part) => part !== "");
  if (parts.length === 0) return "";
  return `What is remembered of this repository from earlier work. It may be out of date, and the code decides; take from it what helps:\n\n${fence("memory", parts.join("\n\n"), seed)}`;
}

function describeIssue(each: RememberedIssues["similar"][number]): string {
  const { issue, title, cause, change, files } = each;
  return [
    `#${issue} ${line(title)} (${ending(each)})`,
    ...(cause === null ? [] : [`Cause: ${said(cause)}`]),
    ...(change === null ? [] : [`Change: ${said(change)}`]),
    ...(files.length === 0 ? [] : [`Files: ${files.slice(0, MAX_FILES).map(plain).join(", ")}`]),
  ].join("\n");
}

function ending({
  outcome,
  reverted,
  reason,
}: Pick<RememberedIssues["similar"][number], "outcome" | "reverted" | "reason">): string {
  if (outcome === "merged") {
    if (reverted === null) return "merged; whether it was reverted since is not known";
    return reverted ? "merged, and reverted later: that way was wrong" : "merged";
  }
  return reason === null ? outcome : `${outcome}: ${line(reason)}`;
}

function line(text: string): string {
  return headOf(cleanLine(text).text, MAX_LINE);
}

function said(text: string): string {
  return cutMiddle(cleanPlain(text).text.trim(), MAX_CHARACTERS).text;
}

/** A path is shown as it is, on one line. */
function plain(path: string): string {
  return headOf(cleanPlain(path.replaceAll(/\s/g, " ")).text, MAX_LINE);
}
