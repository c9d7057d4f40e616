/** Plain pages for people who follow a link from the demo: a repository, an issue, a pull request. */
import type { Played } from "./played.ts";
import { findRepository, fullName, type Issue, type Repository, submittedReviews } from "./world.ts";

/** null: there is no page under this path. */
export function answerPage({ world }: Played, path: string): string | null {
  const [, owner, name, kind, number, ...rest] = path.split("/");
  if (rest.length > 0 || !owner || !name) return null;
  const repository = findRepository(world, `${owner}/${name}`);
  if (!repository || repository.private) return null;
  if (kind === undefined) return page(fullName(repository), issueList(repository));
  if (kind !== "issues" && kind !== "pull") return null;
  const issue = repository.issues.find((candidate) => String(candidate.number) === number && !candidate.deleted);
  return issue ? page(`${issue.title} #${issue.number}`, story(repository, issue)) : null;
}

function issueList(repository: Repository): string {
  const items = repository.issues
    .filter((issue) => !issue.deleted)
    .map((issue) => `<li>${link(repository, issue)} <small>${stateOf(issue)}</small></li>`);
  return `<ul>${items.join("\n")}</ul>`;
}

function story(repository: Repository, issue: Issue): string {
  const { pull } = issue;
  const branches = pull ? `<p><code>${escape(pull.headRef)}</code> into <code>${escape(pull.baseRef)}</code></p>` : "";
  const entries = [
    ...issue.comments.map((comment) => ({ at: comment.createdAt, who: comment.author, what: "", text: comment.body })),
    ...(pull ? submittedReviews(pull) : []).map((review) => ({
      at: review.submittedAt,
      who: review.author,
      what: review.state.toLowerCase().replace("_", " "),
      text: review.body,
    })),
  ].sort((a, b) => a.at.localeCompare(b.at));
  const told = entries.map((entry) => said(entry.who, `${entry.what} ${entry.at}`, entry.text));
  return [
    `<p>${escape(fullName(repository))} · ${stateOf(issue)} · ${issue.labels.map(escape).join(", ")}</p>`,
    branches,
    said(issue.author, issue.createdAt, issue.body ?? ""),
    ...told,
  ].join("\n");
}

function said(who: string | null, what: string, text: string): string {
  const visible = text.replace(/<!--[\s\S]*?-->/g, "").trim();
  return `<article><b>${escape(who ?? "ghost")}</b> <small>${escape(what)}</small><pre>${escape(visible)}</pre></article>`;
}

function stateOf(issue: Issue): string {
  if (issue.pull?.merged) return "merged";
  return issue.pull?.draft && issue.state === "open" ? "draft" : issue.state;
}

function link(repository: Repository, issue: Issue): string {
  return `<a href="/${fullName(repository)}/${issue.pull ? "pull" : "issues"}/${issue.number}">#${issue.number} ${escape(issue.title)}</a>`;
}

function page(title: string, content: string): string {
  const style =
    "body{font:16px/1.5 system-ui;max-width:52rem;margin:2rem auto;padding:0 1rem}article{border:1px solid #ccc;border-radius:6px;padding:.5rem 1rem;margin:1rem 0}pre{white-space:pre-wrap;font:inherit}";
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escape(title)} · played GitHub</title><style>${style}</style>
<h1>${escape(title)}</h1>${content}<footer><small>This GitHub is played by the demo.</small></footer></html>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
