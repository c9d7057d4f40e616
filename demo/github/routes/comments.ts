/** Comments on issues and pull requests. */
import { type Need } from "../access.ts";
import { commentHappened } from "../events.ts";
import { checkLength, forbidden, notFound, requiredText } from "../http.ts";
import { newId, now } from "../played.ts";
import { renderComment } from "../render.ts";
import { type AskedOf, isAtLeast, issueOf, login, page, repositoryRoute, type Route } from "../router.ts";
import type { Comment, Issue } from "../world.ts";
import { sinceOf } from "./past.ts";

const READ: Need = { role: "read", app: "issues:read" };
const TALK: Need = { role: "read", app: "issues:write" };

export const commentRoutes: Route[] = [
  repositoryRoute("GET", "/issues/{issue_number}/comments", READ, (asked) => {
    const { played, repository } = asked;
    const issue = issueOf(asked);
    const path = `/repos/${repository.owner}/${repository.name}/issues/${issue.number}/comments`;
    return page(
      asked,
      path,
      issue.comments
        .filter(({ updatedAt }) => Date.parse(updatedAt) >= sinceOf(asked.query))
        .map((comment) => renderComment(played, repository, issue, comment)),
    );
  }),

  repositoryRoute("POST", "/issues/{issue_number}/comments", TALK, (asked) => {
    const { played, repository, actor } = asked;
    const issue = issueOf(asked);
    if (issue.locked && !isAtLeast(asked, "write"))
      throw forbidden("Unable to create comment because issue is locked.");
    const at = now();
    const body = checkLength(requiredText(asked.body, "body", "IssueComment"), "IssueComment") ?? "";
    const comment = { id: newId(played), author: login(asked), body, createdAt: at, updatedAt: at, reactions: [] };
    issue.comments.push(comment);
    issue.updatedAt = at;
    commentHappened({ played, repository, actor }, "created", issue, comment);
    return { status: 201, body: renderComment(played, repository, issue, comment) };
  }),

  repositoryRoute("GET", "/issues/comments/{comment_id}", READ, (asked) => {
    const { issue, comment } = commentOf(asked);
    return { status: 200, body: renderComment(asked.played, asked.repository, issue, comment) };
  }),

  repositoryRoute("PATCH", "/issues/comments/{comment_id}", TALK, (asked) => {
    const { played, repository, actor } = asked;
    const { issue, comment } = commentOf(asked);
    requireAuthor(asked, comment);
    const from = comment.body;
    comment.body = checkLength(requiredText(asked.body, "body", "IssueComment"), "IssueComment") ?? "";
    comment.updatedAt = now();
    commentHappened({ played, repository, actor }, "edited", issue, comment, { changes: { body: { from } } });
    return { status: 200, body: renderComment(played, repository, issue, comment) };
  }),

  repositoryRoute("DELETE", "/issues/comments/{comment_id}", TALK, (asked) => {
    const { played, repository, actor } = asked;
    const { issue, comment } = commentOf(asked);
    requireAuthor(asked, comment);
    issue.comments = issue.comments.filter((candidate) => candidate !== comment);
    commentHappened({ played, repository, actor }, "deleted", issue, comment);
    return { status: 204 };
  }),
];

function commentOf({ repository, params }: AskedOf): { issue: Issue; comment: Comment } {
  for (const issue of repository.issues) {
    const comment = issue.comments.find((candidate) => String(candidate.id) === params["comment_id"]);
    if (comment) return { issue, comment };
  }
  throw notFound();
}

function requireAuthor(asked: AskedOf, comment: Comment): void {
  if (comment.author === asked.actor.login) return;
  // Apps edit their own comments only; people with write access edit those of others.
  if (asked.actor.kind === "user" && isAtLeast(asked, "write")) return;
  throw forbidden("Must have admin rights to Repository.");
}
