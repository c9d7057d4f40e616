/** Labels of issues and pull requests. A label that is not there yet is made by whoever may write. */
import type { Need } from "../access.ts";
import { issueHappened } from "../events.ts";
import { invalid, Refusal, texts } from "../http.ts";
import { newId, now } from "../played.ts";
import { renderLabel, renderLabels } from "../render.ts";
import { type AskedOf, issueOf, page, repositoryRoute, type Route } from "../router.ts";
import type { Label } from "../world.ts";

const READ: Need = { role: "read", app: "issues:read" };
const TRIAGE: Need = { role: "triage", app: "issues:write" };

export const labelRoutes: Route[] = [
  repositoryRoute("GET", "/issues/{issue_number}/labels", READ, (asked) => {
    const issue = issueOf(asked);
    const path = `/repos/${asked.repository.owner}/${asked.repository.name}/issues/${issue.number}/labels`;
    return page(asked, path, renderLabels(asked.played, asked.repository, issue));
  }),

  repositoryRoute("POST", "/issues/{issue_number}/labels", TRIAGE, async (asked) => {
    const { played, repository, body, actor } = asked;
    const issue = issueOf(asked);
    const names = texts(body["labels"] ?? body["list"], "labels", "Label");
    for (const name of names) {
      const label = ensureLabel(asked, name);
      if (issue.labels.includes(label.name)) continue;
      issue.labels.push(label.name);
      issue.updatedAt = now();
      await issueHappened({ played, repository, actor }, "labeled", issue, {
        label: renderLabel(played, repository, label),
      });
    }
    return { status: 200, body: renderLabels(played, repository, issue) };
  }),

  repositoryRoute("DELETE", "/issues/{issue_number}/labels/{name}", TRIAGE, async (asked) => {
    const { played, repository, params, actor } = asked;
    const issue = issueOf(asked);
    const name = issue.labels.find((candidate) => candidate.toLowerCase() === params["name"]?.toLowerCase());
    const label = repository.labels.find((candidate) => candidate.name === name);
    if (name === undefined || !label) throw new Refusal(404, "Label does not exist");
    issue.labels = issue.labels.filter((candidate) => candidate !== name);
    issue.updatedAt = now();
    await issueHappened({ played, repository, actor }, "unlabeled", issue, {
      label: renderLabel(played, repository, label),
    });
    return { status: 200, body: renderLabels(played, repository, issue) };
  }),
];

/** The label of this name in whatever case, made when there is none. */
export function ensureLabel({ played, repository }: AskedOf, name: string): Label {
  const known = repository.labels.find((label) => label.name.toLowerCase() === name.toLowerCase());
  if (known) return known;
  if (name.trim() === "") throw invalid("Label", "name", "missing_field");
  if (name.length > 50) throw invalid("Label", "name", "custom", "name is too long (maximum is 50 characters)");
  const made = { id: newId(played), name, color: "ededed", description: null };
  repository.labels.push(made);
  return made;
}
