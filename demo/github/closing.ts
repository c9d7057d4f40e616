/** Closing an issue, by hand or by the words of a merged pull request. */
import { type Happening, issueHappened } from "./events.ts";
import { now } from "./played.ts";
import { fullName, type Issue, type Repository } from "./world.ts";

export async function closeIssue(happening: Happening, issue: Issue, reason: string): Promise<void> {
  const at = now();
  Object.assign(issue, {
    state: "closed",
    stateReason: reason,
    closedAt: at,
    updatedAt: at,
    closedBy: happening.actor.login,
  });
  await issueHappened(happening, "closed", issue);
}

/**
 * Numbers of the issues that a text closes: `Closes #7`, `fixes owner/repo#7`, `resolved https://.../issues/7`.
 * @see https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
 */
export function closedBy(text: string, repository: Repository): number[] {
  const visible = text
    .replace(/<!--[\s\S]*?-->/g, " ")
    .replace(/```[\s\S]*?```/g, " ")
    .replace(/`[^`\n]*`/g, " ");
  const keyword =
    /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:(\S+?\/\S+?)?#(\d+)|\S+?\/([^/\s]+\/[^/\s]+)\/issues\/(\d+))\b/gi;
  const numbers = new Set<number>();
  for (const found of visible.matchAll(keyword)) {
    const named = (found[1] ?? found[3])?.toLowerCase();
    if (named !== undefined && named !== fullName(repository).toLowerCase()) continue;
    numbers.add(Number(found[2] ?? found[4]));
  }
  return [...numbers];
}
